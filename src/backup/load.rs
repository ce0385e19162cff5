//! Into a database that is empty: its tables are made as they were then, and filled row by row.

use super::manifest::Dump;
use super::row::{Cell, Row, read_head, read_row};
use super::tables::{Column, Kind, Table, tables};
use super::words;
use crate::db::{self, Conn, Which, integrity};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, Nullable, Text};
use std::io::Read;

/// Values in one statement: fewer than SQLite (32,766) and PostgreSQL (65,535) take.
const VALUES: usize = 8_000;
/// Bytes of rows in one statement, unless one row alone has more.
const BYTES: usize = 1 << 20;

/// Makes the tables of that version, all of them empty.
///
/// # Errors
/// What the database says, or that the tables of that version are others.
pub fn prepare(conn: &mut Conn, which: Which, dump: &Dump) -> Result<(), String> {
    db::run_these(conn, which, &dump.migrations).map_err(|error| words(&error))?;
    let made = tables(conn)?;
    for table in &dump.tables {
        let is_same = |one: &Table| {
            one.name == table.name
                && one.columns.len() == table.columns.len()
                && table.columns.iter().all(|column| one.columns.contains(column))
        };
        if !made.iter().any(is_same) {
            return Err(format!("the table “{}” is another one in this version", table.name));
        }
    }
    // What a migration has put in is in the backup too, as it was by then.
    for table in made.iter().rev() {
        run(conn, &format!("DELETE FROM \"{}\"", table.name))?;
    }
    Ok(())
}

/// Fills a table and answers with the number of its rows.
///
/// # Errors
/// What the database says, or what is wrong with the rows.
pub fn fill(conn: &mut Conn, table: &Table, from: &mut dyn Read) -> Result<u64, String> {
    let failed = |error: &dyn std::fmt::Display| format!("the table “{}”: {}", table.name, words(&error));
    read_head(from).map_err(|error| failed(&error))?;
    let most = (VALUES / table.columns.len().max(1)).max(1);
    let (mut rows, mut bytes, mut count) = (Vec::new(), 0, 0);
    loop {
        let row = read_row(&table.columns, from).map_err(|error| failed(&error))?;
        let is_last = row.is_none();
        if let Some(row) = row {
            bytes += row.0.iter().map(Cell::bytes).sum::<usize>();
            rows.push(row);
            count += 1;
        }
        if !rows.is_empty() && (is_last || rows.len() == most || bytes > BYTES) {
            insert(conn, table, &rows).map_err(|error| failed(&error))?;
            rows.clear();
            bytes = 0;
        }
        if is_last {
            return Ok(count);
        }
    }
}

impl Cell {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) | Self::Wire(bytes) => bytes.len(),
            _ => 8,
        }
    }

    fn int(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }

    fn real(&self) -> Option<f64> {
        if let Self::Real(n) = self { Some(*n) } else { None }
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn content(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

/// `INSERT INTO "t" ("a", "b") VALUES (?, ?), …`, with `$1` and so on for PostgreSQL.
fn statement(table: &Table, rows: usize, numbered: bool) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let mut text = format!("INSERT INTO \"{}\" ({}) VALUES ", table.name, columns.join(", "));
    let mut number = 0;
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns.len() {
            number += 1;
            text.push_str(if column == 0 { "" } else { ", " });
            if numbered {
                text.push_str(&format!("${number}"));
            } else {
                text.push('?');
            }
        }
        text.push(')');
    }
    text
}

/// The same text for both engines, whose types Diesel tells apart.
macro_rules! bind_all {
    ($query:expr, $table:expr, $rows:expr) => {{
        let mut query = $query.into_boxed();
        for (cell, Column { kind, .. }) in $rows.iter().flat_map(|row| row.0.iter().zip(&$table.columns)) {
            query = match kind {
                Kind::Int8 => query.bind::<Nullable<BigInt>, _>(cell.int()),
                Kind::Int4 => query
                    .bind::<Nullable<Integer>, _>(cell.int().map(|n| i32::try_from(n).unwrap_or_default())),
                Kind::Bool => query.bind::<Nullable<Bool>, _>(cell.int().map(|n| n == 1)),
                Kind::Float8 => query.bind::<Nullable<Double>, _>(cell.real()),
                Kind::Text => query.bind::<Nullable<Text>, _>(cell.text()),
                Kind::Bytea => query.bind::<Nullable<Binary>, _>(cell.content()),
            };
        }
        query
    }};
}

fn insert(conn: &mut Conn, table: &Table, rows: &[Row]) -> QueryResult<()> {
    let query = |numbered| diesel::sql_query(statement(table, rows.len(), numbered));
    match conn {
        Conn::Sqlite(c) => bind_all!(query(false), table, rows).execute(c).map(drop),
        Conn::Postgres(c) => bind_all!(query(true), table, rows).execute(c).map(drop),
    }
}

/// Goes on with the numbers where they were, gives the place a new epoch, and looks whether all is whole.
///
/// # Errors
/// What the database says, or what is wrong in it.
pub fn settle(conn: &mut Conn, dump: &Dump) -> Result<(), String> {
    let on_sqlite = matches!(conn, Conn::Sqlite(_));
    for table in &dump.tables {
        let name = &table.name;
        match table.last_id {
            last if on_sqlite => {
                run(conn, &format!("DELETE FROM sqlite_sequence WHERE name = '{name}'"))?;
                if let Some(last) = last {
                    run(conn, &format!("INSERT INTO sqlite_sequence (name, seq) VALUES ('{name}', {last})"))?;
                }
            }
            Some(last @ 1..) => {
                run(conn, &format!("SELECT setval(pg_get_serial_sequence('{name}', 'id'), {last})"))?;
            }
            _ => {}
        }
    }
    if dump.tables.iter().any(|table| table.name == "server") {
        // The next start makes another one, by which everybody knows that what they have is not what is here.
        run(conn, "DELETE FROM server WHERE name = 'epoch'")?;
    }
    let faults = integrity::faults(conn).map_err(|error| words(&error))?;
    match faults.first() {
        None => Ok(()),
        Some(fault) => Err(fault.clone()),
    }
}

fn run(conn: &mut Conn, statement: &str) -> Result<(), String> {
    conn.batch_execute(statement).map_err(|error| words(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_a_place_for_each_value() {
        let column = |name: &str| Column { name: name.into(), kind: Kind::Text };
        let table =
            Table { name: "t".into(), columns: vec![column("a"), column("b")], rows: 0, last_id: None };
        assert_eq!(statement(&table, 2, false), r#"INSERT INTO "t" ("a", "b") VALUES (?, ?), (?, ?)"#);
        assert_eq!(statement(&table, 2, true), r#"INSERT INTO "t" ("a", "b") VALUES ($1, $2), ($3, $4)"#);
    }
}
