//! (to come: tables and growing)
