//! `hubbub live`: live streams from the shell, also while the server runs.

use crate::config::Config;
use crate::error::Error;
use crate::live::{Field, StreamName, Wish, stream};
use crate::rooms::Rooms;
use clap::{Arg, ArgMatches, Command};

/// The command with its sub-command.
pub fn command() -> Command {
    Command::new("live")
        .about("Live streams from the shell")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("add")
                .about("Makes a stream and prints its key, this once")
                .arg(Arg::new("name").value_name("NAME").required(true)),
        )
}

/// Runs the sub-command.
///
/// # Errors
/// A sentence for the person at the shell.
pub fn run(config: &Config, matches: &ArgMatches) -> Result<(), String> {
    let Some(("add", args)) = matches.subcommand() else { return Ok(()) };
    let name = args.get_one::<String>("name").cloned().unwrap_or_default();
    let key = add(config, &name, Wish::default()).map_err(|error| error.detail())?;
    println!("{key}");
    Ok(())
}

/// Makes the stream that `publish -d NUMBER` sends to, unless it is there. Without a way in from other machines everybody
/// here may watch it.
///
/// # Errors
/// A sentence for the person at the shell.
pub fn ensure(config: &Config, number: u32) -> Result<String, String> {
    let name = name_of(number);
    let field = |name: &str, unit: &str, min, max| Field {
        name: name.into(),
        unit: unit.into(),
        min: Some(min),
        max: Some(max),
    };
    let wish = Wish {
        title: None,
        public: Some(!config.is_public()),
        fields: Some(vec![
            field("beam_energy", "GeV", 149.5, 150.5),
            field("repetition_rate", "Hz", 9.5, 10.5),
        ]),
        alarms: None,
        recording: None,
    };
    match add(config, &name, wish) {
        Ok(_) | Err(Error::Conflict { .. }) => Ok(name),
        Err(error) => Err(error.detail()),
    }
}

/// The stream that a number stands for.
pub fn name_of(number: u32) -> String {
    format!("stream-{number}")
}

fn add(config: &Config, name: &str, wish: Wish) -> Result<String, Error> {
    let name = StreamName::parse(name).map_err(|wrong| Error::Invalid(vec![wrong]))?;
    let record = wish.check()?;
    crate::site::disk::make_private(&config.data).map_err(Error::internal)?;
    let db = Rooms::open(config, |_| ()).map_err(Error::internal)?.db;
    let made = db.write_blocking(move |conn| stream::create(conn, None, &name, &record));
    db.close();
    Ok(made?.1)
}
