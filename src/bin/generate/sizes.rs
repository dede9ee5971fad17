//! The page about sizes: rules by hand, examples by asking the code.

use std::error::Error;
use std::fmt::Write as _;

use hcpg::api::Size;
use hcpg::backend::Rejection;
use hcpg::backend::sizes::{self, Sizing};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::artefact::{Artefact, MARK};

const PATH: &str = "docs/sizes.md";
const INTRODUCTION: &str = "\
# Sizes

How a wish in `spec.size` becomes the size of a server, on each of the original's backends. The examples are what the
code answers. Which backends are in this version, and what `local` does with a wish, stands in the
[README](../README.md).

| backend | class | cores and memory without a class | storage | limits |
|---|---|---|---|---|
| `azurepostgresflexible` | where `default_class` is set; an unknown one becomes that one | the next of 2, 4, 8, 16, 32, 48, 64 cores, `Standard_D<n>ds_v4`; memory comes with them; nothing said: 2 | the next of Azure's sizes, 32 to 32767 GB; nothing said: 32 | `cpu_limit`, `storage_limit_gb` |
| `azurepostgres` | the same | the next of 2, 4, 8, 16, 32, 64 cores, `GP_Gen5_<n>`; memory comes with them; nothing said: 2 | steps of 5 GB, 100 to 16384 GB; nothing said: 10 | the same |
| `awsrds` | `default_class` where none or an unknown one is named; a `db.m5.large` where there is none | by class only | 20 to 65536 GB, from 100 for io1 and io2; nothing said: the smallest | |
| `awsaurora` | the same | by class only | as much as is used | |
| `helmbitnami` | as on Azure | as asked for; nothing said: 1 core, 256 Mi | as asked for; nothing said: 10 Gi | |
| `helmyugabyte` | as on Azure | the same, for masters and tablet servers | the same, for each volume | |

- A class wins over `cpu` and `memoryMB`.
- What is not met to the letter comes with a warning; more memory than asked for is none.
- A limit holds for the wish and for what becomes of it. A class counts by its cores: `capacity` on single servers, the
  number in the name of the SKU on flexible ones. With a limit, a class whose name does not tell its cores is refused.
- Storage may be found larger than this, where it grew by itself, and is never made smaller.
- Where this differs from the original, and why: [decision 0015](decisions/0015-sizes.md).
";

/// The wishes, as they would stand in `spec.size`.
type Wishes = Vec<Value>;

/// The page.
pub(crate) fn artefacts() -> Result<Vec<Artefact>, Box<dyn Error>> {
    let mut content = format!("<!-- {MARK} -->\n\n{INTRODUCTION}");
    azure(&mut content)?;
    aws(&mut content)?;
    charts(&mut content)?;
    Ok(vec![Artefact { path: PATH.to_owned(), content }])
}

fn azure(page: &mut String) -> Result<(), Box<dyn Error>> {
    let section = |classes: Value| {
        json!({"subscription_id": "", "location": "", "resource_group": "", "name_pattern": "",
               "cpu_limit": 32, "storage_limit_gb": 1024, "default_class": "dev", "classes": classes})
    };
    let config = read(section(json!({"dev": {"name": "Standard_B1ms", "tier": "Burstable"},
                                     "huge": {"name": "Standard_E64ds_v5", "tier": "MemoryOptimized"}})))?;
    page.push_str("\n## azurepostgresflexible\n\nWith `cpu_limit: 32`, `storage_limit_gb: 1024`, the classes `dev` (Standard_B1ms) and `huge` (Standard_E64ds_v5), and `default_class: dev`:\n\n");
    let wishes = vec![
        json!({}),
        json!({"cpu": 3, "memoryMB": 4096, "storageGB": 100}),
        json!({"cpu": 2, "memoryMB": 10000}),
        json!({"cpu": 33}),
        json!({"class": "dev", "storageGB": 64}),
        json!({"class": "small"}),
        json!({"class": "huge"}),
        json!({"storageGB": 1}),
        json!({"storageGB": 1025}),
        json!({"storageAutoGrow": true}),
    ];
    table(
        page,
        &wishes,
        |wish| sizes::flexible(&config, Some(wish)),
        |size| {
            let grows = if size.auto_grow { ", grows by itself" } else { "" };
            format!("{} ({}), {} GB{grows}", size.sku.name, size.sku.tier, size.storage_gb)
        },
    )?;

    let config = read(section(
        json!({"dev": {"name": "B_Gen5_1", "tier": "Basic", "family": "Gen5", "capacity": 1}}),
    ))?;
    page.push_str("\n## azurepostgres\n\nWith the same limits and the class `dev` (B_Gen5_1):\n\n");
    let wishes = vec![
        json!({}),
        json!({"cpu": 3, "storageGB": 101}),
        json!({"class": "dev", "storageGB": 100}),
        json!({"storageGB": 99}),
    ];
    table(
        page,
        &wishes,
        |wish| sizes::single(&config, Some(wish)),
        |size| format!("{} ({}), {} MB", size.sku.name, size.sku.tier, size.storage_mb),
    )
}

fn aws(page: &mut String) -> Result<(), Box<dyn Error>> {
    let section = |classes: Value| json!({"region": "", "subnet_group": "", "default_class": "small", "classes": classes});
    let config = read(section(json!({
        "small": {"instance_type": "db.t3.small"},
        "fast": {"instance_type": "db.m6g.large", "storage_type": "gp3", "iops": 20000},
        "steady": {"instance_type": "db.m6g.large", "storage_type": "io1", "iops": 6000},
    })))?;
    page.push_str("\n## awsrds\n\nWith the classes `small` (db.t3.small on gp2), `fast` (db.m6g.large on gp3, `iops: 20000`) and `steady` (db.m6g.large on io1, `iops: 6000`), and `default_class: small`:\n\n");
    let wishes = vec![
        json!({}),
        json!({"cpu": 2}),
        json!({"class": "huge"}),
        json!({"class": "fast", "storageGB": 100}),
        json!({"class": "fast", "storageGB": 400}),
        json!({"class": "steady"}),
        json!({"class": "steady", "storageGB": 50}),
        json!({"storageGB": 10}),
        json!({"storageAutoGrow": true, "maxStorageGB": 200}),
        json!({"storageAutoGrow": true}),
    ];
    table(
        page,
        &wishes,
        |wish| sizes::rds(&config, Some(wish)),
        |size| {
            let storage: &str = size.storage_type.into();
            let iops = size.iops.map(|iops| format!(", {iops} operations per second")).unwrap_or_default();
            let grows = size.max_storage_gb.map(|gb| format!(", grows to {gb} GB")).unwrap_or_default();
            format!("{}, {} GB on {storage}{iops}{grows}", size.instance_type, size.storage_gb)
        },
    )?;

    let config = read(section(json!({
        "small": {"instance_type": "db.serverless",
                  "scaling_configuration": {"min_capacity": 0.5, "max_capacity": 4}},
        "fixed": {"instance_type": "db.r6g.large", "storage_type": "aurora-iopt1"},
    })))?;
    page.push_str("\n## awsaurora\n\nWith the classes `small` (db.serverless, 0.5 to 4) and `fixed` (db.r6g.large on aurora-iopt1), and `default_class: small`:\n\n");
    let wishes = vec![
        json!({"storageGB": 50}),
        json!({"class": "fixed"}),
        json!({"memoryMB": 8192}),
        json!({"maxStorageGB": 50}),
    ];
    table(
        page,
        &wishes,
        |wish| sizes::aurora(&config, Some(wish)),
        |size| {
            let storage: &str = size.storage_type.into();
            let scaling = size.scaling.map(|scaling| {
                format!(", {} to {} capacity units", scaling.min_capacity, scaling.max_capacity)
            });
            format!("{} on {storage}{}", size.instance_type, scaling.unwrap_or_default())
        },
    )
}

fn charts(page: &mut String) -> Result<(), Box<dyn Error>> {
    let config =
        read(json!({"default_class": "small", "classes": {"small": {"cpu": "500m", "memory": "512Mi"}}}))?;
    page.push_str(
        "\n## helmbitnami\n\nWith the class `small` (500m, 512Mi), and `default_class: small`:\n\n",
    );
    let wishes = vec![
        json!({}),
        json!({"cpu": 2, "memoryMB": 1000, "storageGB": 1}),
        json!({"class": "small"}),
        json!({"class": "huge"}),
        json!({"storageAutoGrow": true}),
    ];
    table(
        page,
        &wishes,
        |wish| sizes::bitnami(&config, Some(wish)),
        |size| format!("cpu {}, memory {}, volume {}", size.pod.cpu, size.pod.memory, size.storage),
    )?;

    let config = read(json!({"default_class": "small", "classes": {"small": {
        "master": {"cpu": "500m", "memory": "512Mi"}, "tserver": {"cpu": "1000m", "memory": "2Gi"}}}}))?;
    page.push_str("\n## helmyugabyte\n\nWith the class `small` (masters 500m, 512Mi; tablet servers 1000m, 2Gi), and `default_class: small`:\n\n");
    let wishes = vec![json!({"cpu": 2, "storageGB": 20}), json!({"class": "small"})];
    table(
        page,
        &wishes,
        |wish| sizes::yugabyte(&config, Some(wish)),
        |size| {
            let (master, tserver) = (&size.pods.master, &size.pods.tserver);
            format!(
                "masters: cpu {}, memory {}; tablet servers: cpu {}, memory {}; volumes {}",
                master.cpu, master.memory, tserver.cpu, tserver.memory, size.storage
            )
        },
    )
}

fn read<T: DeserializeOwned>(section: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(section)
}

/// A row for each wish: what it becomes, and what is said about it.
fn table<T>(
    page: &mut String,
    wishes: &Wishes,
    ask: impl Fn(&Size) -> Result<Sizing<T>, Vec<Rejection>>,
    show: impl Fn(&T) -> String,
) -> Result<(), Box<dyn Error>> {
    page.push_str("| `spec.size` | becomes | warnings, or why not |\n|---|---|---|\n");
    for wish in wishes {
        let size: Size = read(wish.clone())?;
        let (becomes, said) = match ask(&size) {
            Ok(found) => (show(&found.size), found.warnings),
            Err(refused) => {
                let sentences = refused.iter().map(|one| format!("{}: {}", one.field, one.message));
                ("refused".to_owned(), sentences.collect())
            }
        };
        writeln!(page, "| {} | {becomes} | {} |", in_yaml(wish), said.join("<br>"))?;
    }
    Ok(())
}

fn in_yaml(wish: &Value) -> String {
    let fields: Vec<String> = wish
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, value)| {
            format!("`{field}: {}`", value.as_str().map_or(value.to_string(), str::to_owned))
        })
        .collect();
    if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") }
}
