//! `hubbub user`: accounts from the shell, also while the server runs.

use crate::accounts::audit::{self, Deed};
use crate::accounts::restraint::lock_out;
use crate::accounts::state::{end_everything, open_database};
use crate::accounts::{Db, DisplayName, Password, PeopleQuery, Person, Role, Username, reset, second, user};
use crate::config::Config;
use crate::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// The command with its seven sub-commands.
pub fn command() -> Command {
    let who = || Arg::new("username").value_name("USERNAME").required(true);
    Command::new("user")
        .about("Accounts from the shell; passwords are read from standard input")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("list").about("Everybody who has an account or came as a guest"))
        .subcommand(
            Command::new("add").about("Makes an account; the first one becomes the owner").arg(who()).arg(
                Arg::new("display-name")
                    .long("display-name")
                    .value_name("NAME")
                    .help("What others see, if it differs from the user name"),
            ),
        )
        .subcommand(
            Command::new("password")
                .about("Sets a new password, signs the person out everywhere and ends their tokens")
                .arg(who()),
        )
        .subcommand(
            Command::new("reset")
                .about("Prints a link by which somebody sets a new password, once and within 24 hours")
                .arg(who()),
        )
        .subcommand(
            Command::new("totp")
                .about("Turns the second step of somebody off who has neither their app nor a recovery code")
                .arg(who())
                .arg(
                    Arg::new("off")
                        .long("off")
                        .action(ArgAction::SetTrue)
                        .required(true)
                        .help("The password alone signs them in then"),
                ),
        )
        .subcommand(Command::new("role").about("Says what somebody may do").arg(who()).arg(
            Arg::new("role").value_name("ROLE").required(true).value_parser([
                "owner",
                "admin",
                "moderator",
                "member",
            ]),
        ))
        .subcommand(
            Command::new("disable")
                .about("Locks somebody out and ends their sessions and tokens")
                .arg(who())
                .arg(Arg::new("undo").long("undo").action(ArgAction::SetTrue).help("Lets them in again")),
        )
}

/// Runs one of the sub-commands.
///
/// # Errors
/// A sentence for the person at the shell.
pub fn run(config: &Config, matches: &ArgMatches) -> Result<(), String> {
    // Asked for before the database is opened: a typing person must not hold it.
    let password = match matches.subcommand() {
        Some(("add" | "password", _)) => Some(read_password(config)?),
        _ => None,
    };
    crate::site::disk::make_private(&config.data)
        .map_err(|e| format!("The data folder {} can't be made: {e}", config.data.display()))?;
    let db = open_database(config)?;
    let done = change(&db, config, matches, password);
    db.close();
    let said = done.map_err(|e| e.detail())?;
    let mut out = std::io::stdout().lock();
    // A reader that stops early (`| head`) is no error.
    let _ = out.write_all(said.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

fn change(
    db: &Db,
    config: &Config,
    matches: &ArgMatches,
    password: Option<Password>,
) -> Result<String, Error> {
    let text = |args: &ArgMatches, name: &str| args.get_one::<String>(name).cloned().unwrap_or_default();
    match (matches.subcommand(), password) {
        (Some(("add", args)), Some(password)) => {
            add(db, config, &text(args, "username"), args.get_one("display-name"), &password)
        }
        (Some(("password", args)), Some(password)) => {
            set_password(db, config, &text(args, "username"), &password)
        }
        (Some(("reset", args)), _) => make_reset(db, config, &text(args, "username")),
        (Some(("totp", args)), _) => end_second_step(db, &text(args, "username")),
        (Some(("role", args)), _) => set_role(db, &text(args, "username"), text(args, "role")),
        (Some(("disable", args)), _) => disable(db, &text(args, "username"), !args.get_flag("undo")),
        _ => list(db),
    }
}

/// The first line of standard input. It is shown while it is typed: a pipe is the better way.
fn read_password(config: &Config) -> Result<Password, String> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprint!("Password (it shows while you type): ");
    }
    let mut line = String::new();
    stdin.lock().read_line(&mut line).map_err(|e| format!("The password could not be read: {e}"))?;
    Password::parse(line.trim_end_matches(['\r', '\n']), config.password_min)
        .map_err(|e| e.message.into_owned())
}

pub(super) fn named(db: &Db, username: &str) -> Result<Person, Error> {
    db.read_blocking(|conn| user::find_by_username(conn, username))?
        .ok_or(Error::NotFound("There is nobody by that name."))
}

fn list(db: &Db) -> Result<String, Error> {
    let mut text = String::new();
    let mut after = String::new();
    loop {
        let query = PeopleQuery { after: after.clone(), limit: user::PAGE_MAX, ..Default::default() };
        let (people, more) = db.read_blocking(|conn| user::page_of_everybody(conn, &query))?;
        for person in &people {
            let locked = if person.disabled { "  (disabled)" } else { "" };
            text += &format!(
                "{:<32}  {:<9}  {:>6} logins  {}{locked}\n",
                person.username,
                person.role.as_str(),
                person.login_count,
                person.display_name
            );
        }
        match people.last() {
            Some(last) if more => after.clone_from(&last.username),
            _ => return Ok(text),
        }
    }
}

fn add(
    db: &Db,
    config: &Config,
    username: &str,
    display_name: Option<&String>,
    password: &Password,
) -> Result<String, Error> {
    let invalid = |e| Error::Invalid(vec![e]);
    let username = Username::parse(username).map_err(invalid)?;
    let name = match display_name {
        Some(typed) => DisplayName::parse(typed).map_err(invalid)?,
        None => DisplayName::from(&username),
    };
    let hash = password.hash_blocking(config.bcrypt_cost)?;
    let person = db.write_blocking(move |conn| user::create(conn, &username, &name, &hash))?;
    Ok(format!("{} has an account now, as {}.\n", person.username, person.role.as_str()))
}

fn set_password(db: &Db, config: &Config, username: &str, password: &Password) -> Result<String, Error> {
    let person = named(db, username)?;
    if person.is_guest() {
        return Err(Error::conflict(
            "guest",
            "A guest has no password. By registering they become a full account.",
        ));
    }
    let hash = password.hash_blocking(config.bcrypt_cost)?;
    let id = person.id;
    db.write_blocking(move |conn| {
        user::set_password(conn, id, &hash)?;
        audit::note(conn, None, Deed::Password, Some(id), "")?;
        end_everything(conn, id)
    })?;
    Ok(format!("{} has a new password and is signed out everywhere.\n", person.username))
}

/// The link alone on its line: scripts take it from there.
fn make_reset(db: &Db, config: &Config, username: &str) -> Result<String, Error> {
    let id = named(db, username)?.id;
    let made = db.write_blocking(move |conn| {
        audit::note(conn, None, Deed::Reset, Some(id), "")?;
        reset::create(conn, id)
    })?;
    Ok(format!("{}{}\n", config.url(), made.path()))
}

fn end_second_step(db: &Db, username: &str) -> Result<String, Error> {
    let person = named(db, username)?;
    let was_on = db.write_blocking(move |conn| {
        let was_on = second::off(conn, person.id)?;
        if was_on {
            audit::note(conn, None, Deed::SecondStep, Some(person.id), "")?;
        }
        Ok(was_on)
    })?;
    let said = if was_on { "signs in with the password alone now" } else { "had no second step" };
    Ok(format!("{} {said}.\n", person.username))
}

fn set_role(db: &Db, username: &str, role: String) -> Result<String, Error> {
    let person = named(db, username)?;
    let role = Role::from(role);
    let detail = format!("{} → {}", person.role.as_str(), role.as_str());
    db.write_blocking(move |conn| {
        user::set_role(conn, person.id, role)?;
        audit::note(conn, None, Deed::Role, Some(person.id), &detail)
    })?;
    Ok(format!("{} is {} now.\n", person.username, role.as_str()))
}

fn disable(db: &Db, username: &str, disabled: bool) -> Result<String, Error> {
    let person = named(db, username)?;
    let id = person.id;
    db.write_blocking(move |conn| lock_out(conn, None, id, disabled, ""))?;
    let said = if disabled { "is locked out, and signed out everywhere" } else { "may come in again" };
    Ok(format!("{} {said}.\n", person.username))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.set("data", folder.path().to_str().unwrap()).unwrap();
        config.set("bcrypt_cost", "4").unwrap();
        (folder, config)
    }

    fn told(config: &Config, line: &str, password: Option<&str>) -> Result<String, String> {
        let matches = command().try_get_matches_from(line.split(' ')).map_err(|e| e.to_string())?;
        let db = open_database(config)?;
        let password = password.map(|typed| Password::parse(typed, 8)).transpose();
        let password = password.map_err(|e| e.message.into_owned())?;
        let said = change(&db, config, &matches, password).map_err(|e| e.detail());
        db.close();
        said
    }

    #[test]
    fn accounts_are_made_changed_and_listed() {
        let (_folder, config) = config();
        assert!(told(&config, "user add Ann", Some("password")).unwrap().contains("as owner"));
        assert!(
            told(&config, "user add bob --display-name Bobby", Some("password")).unwrap().contains("member")
        );
        assert!(told(&config, "user add ANN", Some("password")).unwrap_err().contains("taken"));
        assert!(told(&config, "user add a@b", Some("password")).unwrap_err().contains("letters"));
        assert!(told(&config, "user role BOB admin", None).unwrap().contains("bob is admin"));
        assert!(told(&config, "user role bob king", None).unwrap_err().contains("moderator"));
        assert!(told(&config, "user disable bob", None).unwrap().contains("locked out"));
        let list = told(&config, "user list", None).unwrap();
        assert!(list.contains("owner") && list.contains("Bobby  (disabled)"), "{list}");
        assert!(told(&config, "user disable bob --undo", None).unwrap().contains("again"));
        assert!(told(&config, "user disable nobody", None).unwrap_err().contains("nobody by that name"));
    }

    #[test]
    fn the_only_owner_stays() {
        let (_folder, config) = config();
        told(&config, "user add ann", Some("password")).unwrap();
        assert!(told(&config, "user role ann member", None).unwrap_err().contains("only owner"));
        assert!(told(&config, "user disable ann", None).unwrap_err().contains("only owner"));
        told(&config, "user add bob", Some("password")).unwrap();
        told(&config, "user role bob owner", None).unwrap();
        assert!(told(&config, "user role ann member", None).is_ok());
    }

    #[test]
    fn a_new_password_ends_all_sessions() {
        use crate::db::schema::accounts::sessions;
        use diesel::prelude::*;
        let (_folder, config) = config();
        told(&config, "user add ann", Some("password")).unwrap();
        let db = open_database(&config).unwrap();
        db.write_blocking(|conn| {
            diesel::insert_into(sessions::table)
                .values((
                    sessions::key_hash.eq("x"),
                    sessions::user_id.eq(user::find_by_username(conn, "ann")?.map(|p| p.id)),
                    sessions::state.eq("{}"),
                    sessions::created_at.eq(1),
                    sessions::seen_at.eq(1),
                    sessions::expires_at.eq(i64::MAX),
                ))
                .execute(conn)?;
            Ok(())
        })
        .unwrap();
        told(&config, "user password ann", Some("another password")).unwrap();
        let revoked: Option<i64> =
            db.read_blocking(|conn| Ok(sessions::table.select(sessions::revoked_at).first(conn)?)).unwrap();
        assert!(revoked.is_some());
        db.close();
    }
}
