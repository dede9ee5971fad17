-- One statement a row, in this order: roles, memberships, databases with their settings and rights.
SELECT statement FROM (
  SELECT 1 AS step, rolname::text AS item, format('CREATE ROLE %I', rolname) AS statement
    FROM pg_authid WHERE rolname !~ '^pg_' AND rolname <> '$OWNER'
  UNION ALL
  SELECT 2, rolname, format('ALTER ROLE %I %s %s %s %s %s %s %s CONNECTION LIMIT %s%s%s', rolname,
      CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
      CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
      CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END,
      CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
      CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
      CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
      CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END,
      rolconnlimit,
      CASE WHEN rolpassword IS NULL THEN '' ELSE format(' PASSWORD %L', rolpassword) END,
      CASE WHEN rolvaliduntil IS NULL THEN '' ELSE format(' VALID UNTIL %L', rolvaliduntil) END)
    FROM pg_authid WHERE rolname !~ '^pg_' AND rolname <> '$OWNER'
  UNION ALL
  SELECT 3, rolname, format('COMMENT ON ROLE %I IS %L', rolname, shobj_description(oid, 'pg_authid'))
    FROM pg_authid WHERE shobj_description(oid, 'pg_authid') IS NOT NULL AND rolname !~ '^pg_'
  UNION ALL
  -- From PostgreSQL 16 on a membership has more options; a column that is not there cannot be named.
  SELECT 4, r.rolname, format('GRANT %I TO %I%s', r.rolname, g.rolname,
      CASE WHEN bool_or(to_jsonb(m) ? 'inherit_option')
           THEN format(' WITH ADMIN %s, INHERIT %s, SET %s', bool_or(m.admin_option)::text,
                       bool_or((to_jsonb(m) ->> 'inherit_option')::boolean)::text,
                       bool_or((to_jsonb(m) ->> 'set_option')::boolean)::text)
           WHEN bool_or(m.admin_option) THEN ' WITH ADMIN OPTION' ELSE '' END)
    FROM pg_auth_members m JOIN pg_authid r ON r.oid = m.roleid JOIN pg_authid g ON g.oid = m.member
    WHERE g.rolname !~ '^pg_' GROUP BY r.rolname, g.rolname
  UNION ALL
  SELECT 5, datname, format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L', datname,
      pg_encoding_to_char(encoding), datcollate, datctype)
    FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')
  UNION ALL
  SELECT 6, datname, format('ALTER DATABASE %I OWNER TO %I', datname, pg_get_userbyid(datdba))
    FROM pg_database WHERE datname <> 'template0'
  UNION ALL
  SELECT 7, datname, format('ALTER DATABASE %I CONNECTION LIMIT %s', datname, datconnlimit)
    FROM pg_database WHERE datconnlimit <> -1
  UNION ALL
  SELECT 8, datname, format('COMMENT ON DATABASE %I IS %L', datname, shobj_description(oid, 'pg_database'))
    FROM pg_database WHERE shobj_description(oid, 'pg_database') IS NOT NULL
      AND datname NOT IN ('template0', 'template1', 'postgres')
  UNION ALL
  SELECT 9, datname, format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname)
    FROM pg_database WHERE datacl IS NOT NULL AND datname <> 'template0'
  UNION ALL
  SELECT 10, d.datname, format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, d.datname,
      CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname <> 'template0'
  UNION ALL
  SELECT 11, coalesce(d.datname, '') || coalesce(r.rolname, ''), format('ALTER %s%s SET %I TO %s',
      CASE WHEN r.rolname IS NULL THEN format('DATABASE %I', d.datname) ELSE format('ROLE %I', r.rolname) END,
      CASE WHEN r.rolname IS NOT NULL AND d.datname IS NOT NULL THEN format(' IN DATABASE %I', d.datname) ELSE '' END,
      -- Lists of names are kept as they were written, with quotation marks of their own.
      split_part(item, '=', 1), CASE WHEN split_part(item, '=', 1) IN ('search_path', 'temp_tablespaces',
          'local_preload_libraries', 'session_preload_libraries') THEN substr(item, strpos(item, '=') + 1)
        ELSE quote_literal(substr(item, strpos(item, '=') + 1)) END)
    FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase
      LEFT JOIN pg_authid r ON r.oid = s.setrole, unnest(s.setconfig) item
) all_of_them ORDER BY step, item, statement
