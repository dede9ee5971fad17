"""A server's life through the official SDK: azure_sdk.py ENDPOINT CA TENANT CLIENT SECRET SUBSCRIPTION GROUP.

The SDK gets its own token, polls as it pleases, and reads every answer into its models. What it reads must be what was
asked for."""
import os
import sys

endpoint, ca, tenant, client, secret, subscription, group = sys.argv[1:]
os.environ["REQUESTS_CA_BUNDLE"] = ca

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError  # noqa: E402
from azure.identity import ClientSecretCredential  # noqa: E402
from azure.mgmt.postgresqlflexibleservers import PostgreSQLManagementClient  # noqa: E402
from azure.mgmt.rdbms.postgresql import PostgreSQLManagementClient as SingleClient  # noqa: E402
from azure.mgmt.resource.locks import ManagementLockClient  # noqa: E402

credential = ClientSecretCredential(tenant, client, secret, authority=endpoint, disable_instance_discovery=True)
settings = dict(base_url=endpoint, credential_scopes=[f"{endpoint}/.default"], polling_interval=1)
postgres = PostgreSQLManagementClient(credential, subscription, **settings)
locks = ManagementLockClient(credential, subscription, **settings)
wrong, judged = [], 0


def same(what, seen, wanted):
    global judged
    judged += 1
    if seen != wanted:
        wrong.append(f"{what} is {seen!r} in place of {wanted!r}")


def refused(code, call, *arguments):
    try:
        answer = call(*arguments)
        if hasattr(answer, "result"):
            answer.result()
        same(f"{call.__name__}", "done", code)
    except HttpResponseError as error:
        same(f"{call.__name__}", error.error.code if error.error else None, code)


servers, at = postgres.servers, (group, "sdk-shop")
wanted = {
    "location": "westeurope",
    "sku": {"name": "Standard_D2ds_v4", "tier": "GeneralPurpose"},
    "tags": {"team": "a"},
    "properties": {
        "administratorLogin": "app_admin", "administratorLoginPassword": "First-password-1", "version": "15",
        "storage": {"storageSizeGB": 32}, "backup": {"backupRetentionDays": 9},
        "maintenanceWindow": {"customWindow": "Enabled", "dayOfWeek": 3, "startHour": 2, "startMinute": 0},
    },
}
creation = servers.begin_create_or_update(*at, wanted)
refused("ServerIsBusy", servers.begin_update, *at, {"tags": {}})
made = creation.result()
same("state", made.properties.state, "Ready")
same("version", made.properties.version, "15")
same("disk", (made.properties.storage.storage_size_gb, made.properties.storage.tier), (32, "P4"))
same("retention", made.properties.backup.backup_retention_days, 9)
same("day", made.properties.maintenance_window.day_of_week, 3)
same("tags", dict(made.tags), {"team": "a"})
same("address", made.properties.fully_qualified_domain_name.startswith("127."), True)
same("servers", [it.name for it in servers.list_by_resource_group(group)], ["sdk-shop"])
same("servers of all", [it.name for it in servers.list_by_subscription()], ["sdk-shop"])

changed = servers.begin_update(*at, {"properties": {"storage": {"storageSizeGB": 64},
                                                    "administratorLoginPassword": "Second-password-2"}}).result()
same("grown disk", changed.properties.storage.storage_size_gb, 64)
refused("StorageShrinkNotSupported", servers.begin_update, *at, {"properties": {"storage": {"storageSizeGB": 32}}})

rules = postgres.firewall_rules
rule = {"properties": {"startIpAddress": "10.0.0.1", "endIpAddress": "10.0.0.9"}}
same("rule", rules.begin_create_or_update(*at, "office", rule).result().properties.end_ip_address, "10.0.0.9")
same("rules", [it.name for it in rules.list_by_server(*at)], ["office"])
rules.begin_delete(*at, "office").result()
same("rules left", list(rules.list_by_server(*at)), [])

parameters = postgres.configurations
static = {"properties": {"value": "77", "source": "user-override"}}
same("parameter", parameters.begin_put(*at, "max_connections", static).result().properties.value, "77")
same("pending", parameters.get(*at, "max_connections").properties.is_config_pending_restart, True)
servers.begin_restart(*at, {"restartWithFailover": False}).result()
same("not pending", parameters.get(*at, "max_connections").properties.is_config_pending_restart, False)
same("many parameters", len(list(parameters.list_by_server(*at))) > 200, True)
allowed = {"properties": {"value": "CITEXT", "source": "user-override"}}
same("extensions", parameters.begin_update(*at, "azure.extensions", allowed).result().properties.value, "citext")

databases = postgres.databases
made = databases.begin_create(*at, "orders", {"properties": {"charset": "UTF8", "collation": "en_US.utf8"}}).result()
same("collation", made.properties.collation, "en_US.utf8")
same("databases", [it.name for it in databases.list_by_server(*at)],
     ["azure_maintenance", "azure_sys", "orders", "postgres"])
databases.begin_delete(*at, "orders").result()

resource = (group, "Microsoft.DBforPostgreSQL", "", "flexibleServers", "sdk-shop", "keep")
locks.management_locks.create_or_update_at_resource_level(*resource, {"level": "CanNotDelete"})
refused("ScopeLocked", servers.begin_delete, *at)
locks.management_locks.delete_at_resource_level(*resource)
servers.begin_delete(*at).result()
try:
    servers.get(*at)
    wrong.append("the server is still there")
except ResourceNotFoundError as error:
    same("gone", error.error.code, "ResourceNotFound")
# What is left of single servers, through the client of their time.
single = SingleClient(credential, subscription, **settings)
at = (group, "sdk-old")
wanted = {
    "location": "westeurope",
    "sku": {"name": "GP_Gen5_2", "tier": "GeneralPurpose", "family": "Gen5", "capacity": 2},
    "properties": {
        "createMode": "Default", "administratorLogin": "app_admin", "administratorLoginPassword": "First-password-1",
        "version": "11", "sslEnforcement": "Enabled", "storageProfile": {"storageMB": 102400},
    },
}
made = single.servers.begin_create(*at, wanted).result()
same("state of a single server", (made.user_visible_state, made.storage_profile.storage_mb), ("Ready", 102400))
changed = single.servers.begin_update(*at, {"properties": {"storageProfile": {"storageMB": 204800}},
                                            "tags": {"a": "b"}}).result()
same("grown single server", (changed.storage_profile.storage_mb, dict(changed.tags)), (204800, {"a": "b"}))
subnet = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
network = {"properties": {"virtualNetworkSubnetId": subnet, "ignoreMissingVnetServiceEndpoint": True}}
made = single.virtual_network_rules.begin_create_or_update(*at, "net", network).result()
same("network rule", made.virtual_network_subnet_id, subnet)
single.virtual_network_rules.begin_delete(*at, "net").result()
made = single.configurations.begin_create_or_update(*at, "max_connections", static).result()
same("parameter of a single server", (made.value, made.source), ("77", "user-override"))
same("single servers", [it.name for it in single.servers.list_by_resource_group(group)], ["sdk-old"])
single.servers.begin_restart(*at).result()
single.servers.begin_delete(*at).result()
same("single servers left", list(single.servers.list()), [])
print(f"{judged} statements judged")
sys.exit("\n".join(wrong) if wrong or judged < 20 else 0)
