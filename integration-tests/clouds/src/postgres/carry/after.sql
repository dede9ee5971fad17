-- One statement a row: where sequences stand, constraints, indexes, views, owners, rights, comments.
WITH users AS (
  SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
    WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
), extensions AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relations AS (
  SELECT c.oid, c.relname, c.relkind, c.relowner, c.relacl, u.nspname
    FROM pg_class c JOIN users u ON u.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
)
SELECT statement FROM (
  SELECT 1 AS step, s.sequencename::text AS item,
      format('SELECT setval(%L, %s)', format('%I.%I', s.schemaname, s.sequencename), s.last_value) AS statement
    FROM pg_sequences s JOIN users u ON u.nspname = s.schemaname WHERE s.last_value IS NOT NULL
  UNION ALL
  SELECT CASE c.contype WHEN 'f' THEN 3 ELSE 2 END, c.conname,
      format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', r.nspname, r.relname, c.conname, pg_get_constraintdef(c.oid))
    FROM pg_constraint c JOIN relations r ON r.oid = c.conrelid WHERE c.contype IN ('p', 'u', 'c', 'f', 'x')
  UNION ALL
  SELECT 4, r.relname, pg_get_indexdef(r.oid) FROM relations r
    WHERE r.relkind = 'i' AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = r.oid)
  UNION ALL
  SELECT 5, lpad(r.oid::text, 12, '0'),
      format('CREATE VIEW %I.%I AS %s', r.nspname, r.relname, pg_get_viewdef(r.oid))
    FROM relations r WHERE r.relkind = 'v'
  UNION ALL
  SELECT 6, r.relname, format('ALTER %s %I.%I OWNER TO %I',
      CASE r.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE 'SEQUENCE' END, r.nspname, r.relname,
      pg_get_userbyid(r.relowner))
    FROM relations r WHERE r.relkind IN ('r', 'v', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE r.relkind = 'S' AND d.objid = r.oid AND d.deptype = 'i')
  UNION ALL
  SELECT 7, r.relname, format('ALTER SEQUENCE %I.%I OWNED BY %I.%I.%I', r.nspname, r.relname, t.nspname, t.relname,
      a.attname)
    FROM relations r JOIN pg_depend d ON d.objid = r.oid AND d.deptype = 'a' JOIN relations t ON t.oid = d.refobjid
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid WHERE r.relkind = 'S'
  UNION ALL
  SELECT 8, u.nspname, format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', u.nspname) FROM users u WHERE u.nspacl IS NOT NULL
  UNION ALL
  SELECT 9, u.nspname, format('GRANT %s ON SCHEMA %I TO %s', a.privilege_type, u.nspname,
      CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
    FROM users u, aclexplode(u.nspacl) a
  UNION ALL
  SELECT 10, r.relname, format('GRANT %s ON %I.%I TO %s', a.privilege_type, r.nspname, r.relname,
      CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
    FROM relations r, aclexplode(r.relacl) a WHERE r.relkind IN ('r', 'v', 'S')
  UNION ALL
  SELECT 11, '', format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s GRANT %s ON %s TO %s', pg_get_userbyid(d.defaclrole),
      CASE WHEN n.nspname IS NULL THEN '' ELSE format(' IN SCHEMA %I', n.nspname) END, a.privilege_type,
      CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                           WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END,
      CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
  UNION ALL
  SELECT 12, r.relname, format('COMMENT ON %s %I.%I IS %L', CASE r.relkind WHEN 'r' THEN 'TABLE' ELSE 'VIEW' END,
      r.nspname, r.relname, obj_description(r.oid, 'pg_class'))
    FROM relations r WHERE r.relkind IN ('r', 'v') AND obj_description(r.oid, 'pg_class') IS NOT NULL
) all_of_them ORDER BY step, item, statement
