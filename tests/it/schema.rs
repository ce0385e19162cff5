//! The tables that Diesel is told of are the tables that the migrations make, on both engines.

use crate::store;
use crate::tree;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use hubbub::db::{Conn, Database, Task, Url, Which};
use std::collections::BTreeMap;

/// A table as Diesel's `table!` has it: its primary key, then name → type of its columns.
type Table = (Vec<String>, BTreeMap<String, String>);
type Tables = BTreeMap<String, Table>;

/// Reads the text that `diesel print-schema` wrote.
fn declared(source: &str) -> Tables {
    let mut tables = Tables::new();
    for block in source.split("diesel::table! {").skip(1) {
        let (head, rest) = block.split_once(") {").unwrap();
        let (name, key) = head.split_once('(').unwrap();
        let columns =
            rest.split_once('}').unwrap().0.lines().filter_map(|line| line.trim().split_once(" -> "));
        let columns =
            columns.map(|(name, kind)| (name.to_owned(), kind.trim_end_matches(',').to_owned())).collect();
        let key = key.split(',').map(|column| column.trim().to_owned()).collect();
        tables.insert(name.trim().to_owned(), (key, columns));
    }
    tables
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    tab: String,
    #[diesel(sql_type = Text)]
    col: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
    /// From 1 in the primary key, 0 outside it.
    #[diesel(sql_type = BigInt)]
    key: i64,
}

const SQLITE: &str = "SELECT m.name AS tab, c.name AS col, c.type AS kind, NOT c.\"notnull\" AS nullable, c.pk AS key \
    FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' \
    AND m.name NOT LIKE 'sqlite_%' AND m.name <> '__diesel_schema_migrations'";

const POSTGRES: &str = "SELECT c.table_name::text AS tab, c.column_name::text AS col, c.data_type::text AS kind, \
    c.is_nullable = 'YES' AS nullable, coalesce((SELECT k.ordinal_position FROM information_schema.key_column_usage k \
    JOIN information_schema.table_constraints t USING (constraint_schema, constraint_name) \
    WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_schema = c.table_schema AND k.table_name = c.table_name \
    AND k.column_name = c.column_name), 0)::bigint AS key FROM information_schema.columns c \
    WHERE c.table_schema = current_schema() AND c.table_name <> '__diesel_schema_migrations'";

/// Diesel's name for a column's type.
fn kind(column: &Column) -> String {
    let kind = match (column.kind.to_lowercase().as_str(), column.key) {
        // SQLite's row id: 64 bits under this very name alone.
        ("integer", 1) | ("bigint", _) => "BigInt",
        ("integer", _) => "Integer",
        ("text", _) => "Text",
        ("boolean", _) => "Bool",
        ("blob" | "bytea", _) => "Binary",
        ("double precision" | "real", _) => "Double",
        (other, _) => panic!("{}.{}: no Diesel type is known here for {other}", column.tab, column.col),
    };
    if column.nullable { format!("Nullable<{kind}>") } else { kind.to_owned() }
}

fn made(conn: &mut Conn) -> Tables {
    let query = if matches!(conn, Conn::Sqlite(_)) { SQLITE } else { POSTGRES };
    let mut rows: Vec<Column> = diesel::sql_query(query).load(conn).unwrap();
    rows.sort_by_key(|row| row.key);
    let mut tables = Tables::new();
    for row in rows {
        let (key, columns) = tables.entry(row.tab.clone()).or_default();
        if row.key > 0 {
            key.push(row.col.clone());
        }
        columns.insert(row.col.clone(), kind(&row));
    }
    tables
}

fn migrated(which: Which, url: &Url) -> Tables {
    let db = Database::<Task>::open(which, url, |_, _| {}).unwrap();
    let tables = db.read_blocking(|conn| Ok(made(conn))).unwrap();
    db.close();
    tables
}

fn compare(source: &str, made: &Tables) -> Result<(), String> {
    let declared = declared(source);
    if declared == *made {
        return Ok(());
    }
    Err(format!("declared in src/db/schema: {declared:#?}\n\nmade by the migrations: {made:#?}"))
}

fn source(which: Which) -> String {
    tree::read(&format!("src/db/schema/{}.rs", which.name()))
}

#[test]
fn the_schema_files_are_what_the_migrations_make() {
    let store = store::Store::new();
    for which in [Which::Accounts, Which::Messages] {
        let url = store.url(which).parse().unwrap();
        compare(&source(which), &migrated(which, &url)).unwrap_or_else(|difference| panic!("{difference}"));
    }
}

#[test]
fn no_two_migrations_have_one_number() {
    // Of two with the same number the second is silently never run.
    for folder in ["accounts/sqlite", "accounts/postgres", "messages/sqlite", "messages/postgres"] {
        let entries =
            std::fs::read_dir(format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut numbers: Vec<String> = names.map(|name| name.split('_').next().unwrap().to_owned()).collect();
        numbers.sort();
        let before = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), before, "migrations/{folder}");
    }
}

#[test]
fn a_stale_schema_file_would_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let tables = migrated(Which::Messages, &Url::Sqlite(folder.path().join("messages.db")));
    let source = source(Which::Messages);
    compare(&source, &tables).unwrap();
    for (right, stale) in [
        ("topic -> Text", "topic -> Nullable<Text>"),
        ("rev -> BigInt", "rev -> Integer"),
        ("messages (room_id, seq)", "messages (room_id)"),
        ("        title -> Nullable<Text>,\n", ""),
        ("rooms (id)", "halls (id)"),
    ] {
        let changed = source.replacen(right, stale, 1);
        assert_ne!(changed, source, "{right} is not in the schema file");
        assert!(compare(&changed, &tables).is_err(), "{stale} was not noticed");
    }
}
