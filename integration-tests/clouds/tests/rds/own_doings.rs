//! What the service does and holds without being asked: storage, quotas, accounts, sessions.

use std::time::Duration;

use clouds::rds::{Place, Quotas, Simulator};

use crate::support::{
    ID, SHOP, Signer, available_shop, call_as, done, host, login, refused, send, shop, text, until, wait,
};

#[tokio::test]
async fn storage_grows_on_its_own_up_to_its_limit_and_then_is_full() {
    let simulator = Simulator::start().await.unwrap();
    available_shop(&simulator, &[("MaxAllocatedStorage", "35")]).await;
    let size = || simulator.instance("team-shop").map(|it| it.storage.size).unwrap_or_default();
    simulator.drift("team-shop", |it| it.used = 19);
    wait("30 GiB", || size() == 30, || size().to_string()).await;
    until(&simulator, "available").await;
    simulator.drift("team-shop", |it| it.used = 30);
    wait("35 GiB, its limit", || size() == 35, || size().to_string()).await;
    until(&simulator, "available").await;
    let host = host(&simulator).await;
    login(&simulator, &host, "first-password").await.unwrap();
    simulator.drift("team-shop", |it| it.used = 35);
    until(&simulator, "storage-full").await;
    let gone = std::net::SocketAddr::new(host.parse().unwrap(), 5432);
    wait("nothing answers", || std::net::TcpStream::connect(gone).is_err(), String::new).await;
    let grow = [ID[0], ("AllocatedStorage", "60"), ("ApplyImmediately", "true")];
    done(&simulator, "ModifyDBInstance", &grow).await;
    until(&simulator, "available").await;
    login(&simulator, &host, "first-password").await.unwrap();
}

#[tokio::test]
async fn quotas_are_held() {
    let simulator = Simulator::start().await.unwrap();
    simulator.set_quotas(Quotas { instances: 1, snapshots: 0, groups: 0, clusters: 0 });
    available_shop(&simulator, &[("CopyTagsToSnapshot", "true")]).await;
    let second = shop(&[("DBInstanceIdentifier", "second")]);
    assert_eq!(refused(&simulator, "CreateDBInstance", &second).await, "InstanceQuotaExceeded");
    let last = [ID[0], ("FinalDBSnapshotIdentifier", "last")];
    assert_eq!(refused(&simulator, "DeleteDBInstance", &last).await, "SnapshotQuotaExceeded");
    let group =
        [("DBParameterGroupName", "own"), ("DBParameterGroupFamily", "postgres15"), ("Description", "d")];
    assert_eq!(refused(&simulator, "CreateDBParameterGroup", &group).await, "DBParameterGroupQuotaExceeded");
    assert_eq!(simulator.instance("team-shop").unwrap().status, "available");
    simulator.set_quotas(Quotas::default());
    done(&simulator, "DeleteDBInstance", &last).await;
    let ready = || simulator.snapshot("last").is_some_and(|it| it.status == "available");
    wait("the snapshot is there", ready, String::new).await;
    assert!(simulator.instance("team-shop").is_none());
    assert_eq!(simulator.snapshot("last").unwrap().tags["team"], "a");
}

#[tokio::test]
async fn another_instance_under_the_same_name_has_another_id() {
    let simulator = Simulator::start().await.unwrap();
    available_shop(&simulator, &[]).await;
    let before = simulator.instance("team-shop").unwrap().resource_id;
    simulator.replace("team-shop");
    assert_ne!(simulator.instance("team-shop").unwrap().resource_id, before);
    simulator.vanish("team-shop");
    assert_eq!(refused(&simulator, "DescribeDBInstances", &ID).await, "DBInstanceNotFound");
}

#[tokio::test]
async fn accounts_and_regions_do_not_see_each_other() {
    let simulator = Simulator::start().await.unwrap();
    simulator.add_access_key("OTHER", "210987654321");
    let rds = "2014-10-31";
    done(&simulator, "CreateDBInstance", &SHOP).await;
    let arn = text(&done(&simulator, "DescribeDBInstances", &ID).await, "DBInstanceArn").unwrap();
    assert_eq!(arn, "arn:aws:rds:eu-central-1:123456789012:db:team-shop");
    for (key, region) in [("AKID", "us-east-1"), ("OTHER", "eu-central-1")] {
        let signer = Signer { key, region, token: None };
        let (status, _) = call_as(&simulator, &signer, rds, "DescribeDBInstances", &ID).await.unwrap();
        assert_eq!(status, 404, "{key} {region}");
        let tags = [("ResourceName", arn.as_str())];
        let (status, _) = call_as(&simulator, &signer, rds, "ListTagsForResource", &tags).await.unwrap();
        assert_eq!(status, 404, "{key} {region}");
    }
    let other = Place { account: "210987654321".into(), region: "eu-central-1".into() };
    assert!(simulator.instance_at(&other, "team-shop").is_none());
    assert_eq!(send(&simulator, "POST / HTTP/1.1", "", "Action=DescribeDBInstances").await.unwrap().0, 403);
}

#[tokio::test]
async fn a_role_is_of_its_account_and_its_session_expires() {
    let simulator = Simulator::start().await.unwrap();
    let role = [
        ("RoleArn", "arn:aws:iam::210987654321:role/operator"),
        ("RoleSessionName", "test"),
        ("DurationSeconds", "900"),
        ("WebIdentityToken", "eyJ-secret"),
    ];
    // Signed by nobody: the token is what counts.
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", "AssumeRoleWithWebIdentity")
        .append_pair("Version", "2011-06-15")
        .extend_pairs(role)
        .finish();
    let (status, body) = send(&simulator, "POST / HTTP/1.1", "", &body).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let (key, token) = (text(&body, "AccessKeyId").unwrap(), text(&body, "SessionToken").unwrap());
    let session = Signer { key: &key, region: "eu-central-1", token: Some(&token) };
    let who = call_as(&simulator, &session, "2011-06-15", "GetCallerIdentity", &[]).await.unwrap().1;
    assert!(who.contains("<Account>210987654321<"), "{who}");
    let list =
        async || call_as(&simulator, &session, "2014-10-31", "DescribeDBInstances", &[]).await.unwrap();
    assert_eq!(list().await.0, 200);
    let thief = Signer { key: "AKID", region: "eu-central-1", token: Some(&token) };
    assert_eq!(call_as(&simulator, &thief, "2014-10-31", "DescribeDBInstances", &[]).await.unwrap().0, 403);
    simulator.clock().turn(Duration::from_secs(901));
    let (status, body) = list().await;
    assert!(status == 403 && body.contains("<Code>ExpiredToken<"), "{body}");
    assert!(!serde_json::to_string(&simulator.log()).unwrap().contains("eyJ-secret"));
}
