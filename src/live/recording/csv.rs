//! Readings as a table: made of the lines while it is sent, however many there are.

use super::super::read::{header, row};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write};
use std::path::Path;

/// Columns of one table. A source that names its readings anew each time has no use for a table.
const COLUMNS: usize = 1000;

/// Writes the lines of a file as CSV, with a column for every reading, in the order in which they first appear. Blocks.
///
/// # Errors
/// What the disk says, or whoever takes it.
pub fn write(path: &Path, mut to: impl Write) -> io::Result<()> {
    let mut columns: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    each(path, |_, _, fields| {
        for name in fields.keys() {
            if columns.len() < COLUMNS && known.insert(name.clone()) {
                columns.push(name.clone());
            }
        }
        Ok(())
    })?;
    to.write_all(header(&columns).as_bytes())?;
    each(path, |seq, at, fields| to.write_all(row(seq, at, &columns, fields).as_bytes()))?;
    to.flush()
}

fn each(
    path: &Path,
    mut take: impl FnMut(i64, i64, &Map<String, Value>) -> io::Result<()>,
) -> io::Result<()> {
    for line in BufReader::new(File::open(path)?).lines() {
        let sample: Value = serde_json::from_str(&line?).unwrap_or_default();
        if let (Some(seq), Some(at), Some(fields)) =
            (sample["seq"].as_i64(), sample["at"].as_i64(), sample["fields"].as_object())
        {
            take(seq, at, fields)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_columns_of_all_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson");
        let lines = "{\"seq\":1,\"at\":1700000000123,\"fields\":{\"a\":1.5}}\n\
            {\"seq\":2,\"at\":1700000000123,\"fields\":{\"b\":\"=1 \\\"x\\\"\",\"a\":2}}\n{\"seq\":3,\n";
        std::fs::write(&path, lines).unwrap();
        let mut table = Vec::new();
        write(&path, &mut table).unwrap();
        assert_eq!(
            String::from_utf8(table).unwrap(),
            "seq,time,a,b\r\n1,2023-11-14T22:13:20.123Z,1.5,\r\n2,2023-11-14T22:13:20.123Z,2,\"'=1 \"\"x\"\"\"\r\n"
        );
    }
}
