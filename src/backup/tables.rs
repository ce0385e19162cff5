//! Which tables a database has, as it says itself: their columns, in which order they can be filled, the last number given.

use crate::db::Conn;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a column holds, by PostgreSQL's name of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Int8,
    Int4,
    Text,
    Bool,
    Bytea,
    Float8,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// Rows in the archive.
    pub rows: u64,
    /// The last number that was given to a row, so that none is given twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_id: Option<i64>,
}

#[derive(QueryableByName)]
struct Described {
    #[diesel(sql_type = Text)]
    tab: String,
    #[diesel(sql_type = Text)]
    col: String,
    #[diesel(sql_type = Text)]
    kind: String,
    /// From 1 in the primary key, 0 outside it.
    #[diesel(sql_type = BigInt)]
    key: i64,
}

const SQLITE: &str = "SELECT m.name AS tab, c.name AS col, c.type AS kind, c.pk AS key \
    FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' \
    AND m.name <> '__diesel_schema_migrations' ORDER BY m.name, c.cid";

const POSTGRES: &str = "SELECT table_name::text AS tab, column_name::text AS col, data_type::text AS kind, \
    0::bigint AS key FROM information_schema.columns WHERE table_schema = current_schema() \
    AND table_name <> '__diesel_schema_migrations' ORDER BY table_name, ordinal_position";

#[derive(QueryableByName)]
struct Reference {
    #[diesel(sql_type = Text)]
    child: String,
    #[diesel(sql_type = Text)]
    parent: String,
}

const REFERENCES_SQLITE: &str = "SELECT m.name AS child, f.\"table\" AS parent \
    FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";

const REFERENCES_POSTGRES: &str = "SELECT c.relname::text AS child, p.relname::text AS parent FROM pg_constraint f \
    JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid \
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE f.contype = 'f' AND n.nspname = current_schema()";

#[derive(QueryableByName)]
struct Given {
    #[diesel(sql_type = Text)]
    tab: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    last: Option<i64>,
}

const GIVEN_SQLITE: &str = "SELECT name AS tab, seq AS last FROM sqlite_sequence";

const GIVEN_POSTGRES: &str = "SELECT table_name::text AS tab, pg_sequence_last_value(pg_get_serial_sequence(\
    quote_ident(table_schema) || '.' || quote_ident(table_name), column_name)::regclass) AS last \
    FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'";

/// All tables but that of the migrations, each behind those that it refers to, without rows so far.
///
/// # Errors
/// What the database says, or a column of a kind that isn't known here.
pub fn tables(conn: &mut Conn) -> Result<Vec<Table>, String> {
    let (columns, references, given) = match conn {
        Conn::Sqlite(_) => (SQLITE, REFERENCES_SQLITE, GIVEN_SQLITE),
        Conn::Postgres(_) => (POSTGRES, REFERENCES_POSTGRES, GIVEN_POSTGRES),
    };
    let asked = |error: diesel::result::Error| super::words(&error);
    let columns: Vec<Described> = diesel::sql_query(columns).load(conn).map_err(asked)?;
    let references: Vec<Reference> = diesel::sql_query(references).load(conn).map_err(asked)?;
    // The table of numbers is there as soon as one table gives any.
    let given: Vec<Given> =
        if columns.is_empty() { Vec::new() } else { diesel::sql_query(given).load(conn).map_err(asked)? };
    let mut found: BTreeMap<String, Table> = BTreeMap::new();
    for described in columns {
        let kind = described.kind()?;
        let Described { tab, col, .. } = described;
        let table = found.entry(tab.clone()).or_insert_with(|| Table {
            name: tab,
            columns: Vec::new(),
            rows: 0,
            last_id: None,
        });
        table.columns.push(Column { name: col, kind });
    }
    for Given { tab, last } in given {
        if let Some(table) = found.get_mut(&tab) {
            table.last_id = last;
        }
    }
    Ok(in_order(found, &references))
}

impl Described {
    fn kind(&self) -> Result<Kind, String> {
        Ok(match (self.kind.to_lowercase().as_str(), self.key) {
            // SQLite's row id: 64 bits under this very name alone.
            ("integer", 1) | ("bigint", _) => Kind::Int8,
            ("integer", _) => Kind::Int4,
            ("text", _) => Kind::Text,
            ("boolean", _) => Kind::Bool,
            ("blob" | "bytea", _) => Kind::Bytea,
            ("double precision" | "real", _) => Kind::Float8,
            (other, _) => {
                return Err(format!(
                    "the column “{}” of “{}” is of an unknown kind ({other})",
                    self.col, self.tab
                ));
            }
        })
    }
}

/// Those that nothing left refers to first; what refers to each other in a ring comes last, by name.
fn in_order(mut left: BTreeMap<String, Table>, references: &[Reference]) -> Vec<Table> {
    let mut placed = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |name: &str| {
            references.iter().any(|r| r.child == name && r.parent != name && left.contains_key(&r.parent))
        };
        let mut next: Vec<String> = left.keys().filter(|name| !waits(name)).cloned().collect();
        if next.is_empty() {
            next = left.keys().cloned().collect();
        }
        placed.extend(next.iter().filter_map(|name| left.remove(name)));
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stands_behind_those_that_it_refers_to() {
        let table = |name: &str| {
            (name.to_owned(), Table { name: name.to_owned(), columns: vec![], rows: 0, last_id: None })
        };
        let refers = |(child, parent): (&str, &str)| Reference { child: child.into(), parent: parent.into() };
        let references =
            [("a", "z"), ("b", "a"), ("b", "b"), ("x", "y"), ("y", "x"), ("z", "elsewhere")].map(refers);
        let all = ["a", "b", "x", "y", "z"].map(table).into();
        let order: Vec<String> = in_order(all, &references).into_iter().map(|table| table.name).collect();
        assert_eq!(order, ["z", "a", "b", "x", "y"]);
    }
}
