//! The calls for parameter groups, of instances and of clusters: the same in other words.

use aws_sdk_rds::types::{Parameter, Tag};

use super::super::super::{BackendError, Urgency};
use super::super::client::Service;
use super::super::engine::Engine;
use super::super::error::Failed;
use super::Groups;

/// A part of a listing, and where the next one begins.
type Page<T> = (Vec<T>, Option<String>);

impl Groups {
    /// Some of the parameters of a group.
    pub(super) async fn parameters(
        &self,
        service: &Service,
        group: &str,
        source: Option<&str>,
        marker: Option<String>,
        urgency: Urgency,
    ) -> Result<Page<Parameter>, Failed> {
        let source = source.map(str::to_owned);
        match self.engine {
            Engine::Rds => {
                let send = service.call("DescribeDBParameters", urgency, None, async |client| {
                    let request = client.describe_db_parameters().db_parameter_group_name(group);
                    request.set_source(source).max_records(100).set_marker(marker).send().await
                });
                let page = send.await?;
                Ok((page.parameters.unwrap_or_default(), page.marker))
            }
            Engine::Aurora => {
                let send = service.call("DescribeDBClusterParameters", urgency, None, async |client| {
                    let request = client.describe_db_cluster_parameters();
                    let request = request.db_cluster_parameter_group_name(group);
                    request.set_source(source).max_records(100).set_marker(marker).send().await
                });
                let page = send.await?;
                Ok((page.parameters.unwrap_or_default(), page.marker))
            }
        }
    }

    /// Makes a group.
    pub(super) async fn create(
        &self,
        service: &Service,
        group: &str,
        family: &str,
        description: String,
        tags: Vec<Tag>,
    ) -> Result<(), Failed> {
        match self.engine {
            Engine::Rds => {
                let send = service.call("CreateDBParameterGroup", Urgency::User, None, async |client| {
                    let request = client.create_db_parameter_group().db_parameter_group_name(group);
                    let request = request.db_parameter_group_family(family).description(description);
                    request.set_tags(Some(tags)).send().await
                });
                send.await.map(drop)
            }
            Engine::Aurora => {
                let send =
                    service.call("CreateDBClusterParameterGroup", Urgency::User, None, async |client| {
                        let request = client.create_db_cluster_parameter_group();
                        let request = request.db_cluster_parameter_group_name(group);
                        let request = request.db_parameter_group_family(family).description(description);
                        request.set_tags(Some(tags)).send().await
                    });
                send.await.map(drop)
            }
        }
    }

    /// Sets parameters.
    pub(super) async fn set(
        &self,
        service: &Service,
        group: &str,
        parameters: Vec<Parameter>,
    ) -> Result<(), BackendError> {
        match self.engine {
            Engine::Rds => {
                let send = service.call("ModifyDBParameterGroup", Urgency::User, None, async |client| {
                    let request = client.modify_db_parameter_group().db_parameter_group_name(group);
                    request.set_parameters(Some(parameters)).send().await
                });
                send.await?;
            }
            Engine::Aurora => {
                let send =
                    service.call("ModifyDBClusterParameterGroup", Urgency::User, None, async |client| {
                        let request = client.modify_db_cluster_parameter_group();
                        let request = request.db_cluster_parameter_group_name(group);
                        request.set_parameters(Some(parameters)).send().await
                    });
                send.await?;
            }
        }
        Ok(())
    }

    /// Brings parameters back to their defaults.
    pub(super) async fn reset(
        &self,
        service: &Service,
        group: &str,
        parameters: Vec<Parameter>,
    ) -> Result<(), BackendError> {
        match self.engine {
            Engine::Rds => {
                let send = service.call("ResetDBParameterGroup", Urgency::User, None, async |client| {
                    let request = client.reset_db_parameter_group().db_parameter_group_name(group);
                    request.reset_all_parameters(false).set_parameters(Some(parameters)).send().await
                });
                send.await?;
            }
            Engine::Aurora => {
                let send =
                    service.call("ResetDBClusterParameterGroup", Urgency::User, None, async |client| {
                        let request = client.reset_db_cluster_parameter_group();
                        let request = request.db_cluster_parameter_group_name(group);
                        request.reset_all_parameters(false).set_parameters(Some(parameters)).send().await
                    });
                send.await?;
            }
        }
        Ok(())
    }

    /// The names of some of the account's groups.
    pub(super) async fn names(
        &self,
        service: &Service,
        marker: Option<String>,
    ) -> Result<Page<String>, BackendError> {
        match self.engine {
            Engine::Rds => {
                let send = service.call("DescribeDBParameterGroups", Urgency::User, None, async |client| {
                    client.describe_db_parameter_groups().max_records(100).set_marker(marker).send().await
                });
                let page = send.await?;
                let groups = page.db_parameter_groups.unwrap_or_default().into_iter();
                Ok((groups.filter_map(|group| group.db_parameter_group_name).collect(), page.marker))
            }
            Engine::Aurora => {
                let send =
                    service.call("DescribeDBClusterParameterGroups", Urgency::User, None, async |client| {
                        let request = client.describe_db_cluster_parameter_groups().max_records(100);
                        request.set_marker(marker).send().await
                    });
                let page = send.await?;
                let groups = page.db_cluster_parameter_groups.unwrap_or_default().into_iter();
                Ok((groups.filter_map(|group| group.db_cluster_parameter_group_name).collect(), page.marker))
            }
        }
    }

    /// Deletes a group.
    pub(super) async fn delete(&self, service: &Service, group: &str) -> Result<(), Failed> {
        match self.engine {
            Engine::Rds => {
                let send = service.call("DeleteDBParameterGroup", Urgency::User, None, async |client| {
                    client.delete_db_parameter_group().db_parameter_group_name(group).send().await
                });
                send.await.map(drop)
            }
            Engine::Aurora => {
                let send =
                    service.call("DeleteDBClusterParameterGroup", Urgency::User, None, async |client| {
                        let request = client.delete_db_cluster_parameter_group();
                        request.db_cluster_parameter_group_name(group).send().await
                    });
                send.await.map(drop)
            }
        }
    }
}
