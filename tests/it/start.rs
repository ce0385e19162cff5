//! What a start looks at before it changes anything: a database of a newer program, a damaged page, a copy before it migrates.

use crate::backup::{ended, names, refuses};
use crate::child::{Child, hubbub};
use crate::store::Store;
use crate::verify::assert_whole;
use crate::visitor::Visitor;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use hubbub::backup::prove;
use hubbub::db::{Access, Manager, Which, open_to_migrate, run_these, standing};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(QueryableByName)]
struct Root {
    #[diesel(sql_type = BigInt)]
    page: i64,
}

/// What is stored. An empty log and its index are nothing.
fn contents(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for path in names(folder).into_iter().filter(|path| path.is_file()) {
        let bytes = fs::read(&path).unwrap();
        if !bytes.is_empty() && path.extension().is_none_or(|end| end != "db-shm") {
            found.insert(path, data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes)));
        }
    }
    found
}

fn manager(store: &Store, which: Which) -> Manager {
    Manager { url: store.url(which).parse().unwrap(), which, access: Access::Write }
}

/// Databases as the first version made them.
fn make_old(store: &Store) {
    for which in [Which::Accounts, Which::Messages] {
        let mut conn = open_to_migrate(&manager(store, which)).unwrap();
        let first = standing(&mut conn, which).unwrap().pending[0].clone();
        run_these(&mut conn, which, &[first]).unwrap();
    }
    store.messages("UPDATE rooms SET topic = hex(zeroblob(50000)) WHERE id = 1");
}

fn is_old(store: &Store) -> bool {
    let mut conn = manager(store, Which::Messages).open().unwrap();
    standing(&mut conn, Which::Messages).unwrap().applied.len() == 1
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_left_alone() {
    let store = Store::new();
    assert_eq!(Child::start(&store).terminate().code(), Some(0));
    store.messages("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
    let before = contents(&store.folder().join("data"));
    for command in [&["serve"][..], &["user", "list"], &["backup", "x.tar"]] {
        refuses(&ended(hubbub(&store).args(command)), "a newer version of Hubbub");
    }
    assert_eq!(contents(&store.folder().join("data")), before);
    store.messages("DELETE FROM __diesel_schema_migrations WHERE version = '29991231000000'");
    let child = Child::start(&store);
    Visitor::new(&child.origin).get("/").await.is(200);
}

#[test]
fn a_damaged_database_is_left_alone() {
    let store = Store::new();
    if !store.url(Which::Messages).starts_with("sqlite") {
        return;
    }
    assert_eq!(Child::start(&store).terminate().code(), Some(0));
    let roots = "SELECT rootpage AS page FROM sqlite_master WHERE name IN ('messages', 'rooms_by_name', 'jobs') ORDER BY 1";
    let mut conn = manager(&store, Which::Messages).open().unwrap();
    let mut pages: Vec<i64> =
        sql_query(roots).load::<Root>(&mut conn).unwrap().into_iter().map(|root| root.page).collect();
    // Whoever closes it last moves the log into it.
    drop(conn);
    let (path, data) = (store.folder().join("data/messages.db"), store.folder().join("data"));
    let whole = fs::read(&path).unwrap();
    let page = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    assert_eq!(pages.len(), 3);
    pages.push(1);
    for number in pages {
        let mut file = File::options().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(u64::try_from(number - 1).unwrap() * page as u64)).unwrap();
        file.write_all(&vec![0xA5; page]).unwrap();
        let before = contents(&data);
        refuses(&ended(hubbub(&store).arg("serve")), "is damaged");
        assert_eq!(contents(&data), before, "page {number}");
        fs::write(&path, &whole).unwrap();
    }
    // Cut off, and no database at all.
    for bytes in
        [&whole[..whole.len() / 2], b"what is this doing here, it is no database".repeat(99).as_slice()]
    {
        fs::write(&path, bytes).unwrap();
        refuses(&ended(hubbub(&store).arg("serve")), "is damaged");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    fs::write(&path, &whole).unwrap();
    drop(Child::start(&store));
}

#[tokio::test]
async fn there_is_a_copy_before_the_databases_become_others() {
    let store = Store::new();
    if !store.url(Which::Messages).starts_with("sqlite") {
        return;
    }
    let data = store.folder().join("data");
    make_old(&store);
    // No copy, no migration.
    let mut shell = Command::new("sh");
    let command = hubbub(&store);
    shell.current_dir(store.folder()).env_clear();
    shell.args(["-c", "ulimit -f 80; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    let before = contents(&data);
    refuses(&ended(shell.arg("serve")), "Nothing was changed");
    assert_eq!(contents(&data), before);
    assert!(is_old(&store));
    for year in [2001, 2002, 2003] {
        fs::write(data.join(format!("before-{year}0101000000.tar")), "older").unwrap();
    }
    let child = Child::start(&store);
    Visitor::new(&child.origin).get("/").await.is(200);
    assert!(child.log().contains("The databases are brought up to date"), "{}", child.log());
    assert_eq!(child.terminate().code(), Some(0));
    let copies: Vec<PathBuf> =
        names(&data).into_iter().filter(|path| path.extension().is_some_and(|end| end == "tar")).collect();
    assert_eq!(copies.len(), 3, "{copies:?}");
    let copy = copies.last().unwrap();
    assert!(prove(copy).unwrap().database(Which::Messages).unwrap().migrations.len() == 1);
    // It goes back, and is brought up to date again.
    let other = Store::empty();
    assert!(hubbub(&other).arg("restore").arg(copy).status().unwrap().success());
    assert!(is_old(&other));
    let child = Child::start(&other);
    Visitor::new(&child.origin).get("/healthz").await.is(200);
    assert_eq!(child.terminate().code(), Some(0));
    assert!(!is_old(&other));
    assert_whole(&other);
    // What is up to date needs no copy.
    drop(Child::start(&store));
    assert_eq!(
        names(&data).iter().filter(|path| path.extension().is_some_and(|end| end == "tar")).count(),
        3
    );
}
