-- A name for everything of a database's users that `before.sql` and `after.sql` do not make.
WITH users AS (
  SELECT oid, nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
), extensions AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
)
SELECT 'relation ' || c.relname FROM pg_class c JOIN users u ON u.oid = c.relnamespace
  WHERE (c.relkind NOT IN ('r', 'i', 'S', 'v') OR c.relrowsecurity OR c.relispartition OR c.relhassubclass)
    AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
    AND NOT (c.relkind = 'c')
UNION ALL
SELECT 'function ' || p.proname FROM pg_proc p JOIN users u ON u.oid = p.pronamespace
  WHERE NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
UNION ALL
SELECT 'type ' || t.typname FROM pg_type t JOIN users u ON u.oid = t.typnamespace
  WHERE NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
    AND (t.typtype IN ('d', 'e', 'r', 'm')
      OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')))
UNION ALL
SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'event trigger ' || evtname FROM pg_event_trigger
UNION ALL
SELECT 'large object ' || oid FROM pg_largeobject_metadata
UNION ALL
SELECT 'publication ' || pubname FROM pg_publication
