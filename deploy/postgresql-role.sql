-- What the role of the site needs in PostgreSQL itself: psql --dbname=undersigned --file=deploy/postgresql-role.sql
-- Behind PgBouncer these are the only limits of time; reached directly, the site asks for the same ones itself.
ALTER ROLE undersigned SET statement_timeout = '30s';
ALTER ROLE undersigned SET client_connection_check_interval = '2s';
ALTER ROLE undersigned SET idle_in_transaction_session_timeout = '120s';
-- PostgreSQL writes statements that fail, with what they hold, into its log. Keeps people out of it.
ALTER ROLE undersigned SET log_min_error_statement = 'panic';
ALTER ROLE undersigned SET log_error_verbosity = 'terse';
