//! What stands behind a server.
