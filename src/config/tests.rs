//! What is read from where, and what is refused.

use super::*;

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default()
-> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("hubbub.toml");
    std::fs::write(
        &file,
        "password_min = 10\nbcrypt_cost = 5\nguests = false\norigins = [\"http://a.example\"]\n",
    )?;
    let flags = |name: &str| (name == "password_min").then(|| "12".to_owned());
    let environment =
        |name: &str| ["HUBBUB_PASSWORD_MIN", "HUBBUB_BCRYPT_COST"].contains(&name).then(|| "11".to_owned());
    let config = Config::load(flags, environment, Some(&file))?;
    assert_eq!((config.password_min, config.bcrypt_cost, config.guests), (12, 11, false));
    assert_eq!(config.origins, ["http://a.example"]);
    assert_eq!(config.workers, Config::default().workers);
    Ok(())
}

#[test]
fn a_bad_value_is_named_with_the_setting_and_what_would_be_valid() {
    for (name, value) in [
        ("listen", "8080"),
        ("password_min", "2"),
        ("bcrypt_cost", "16"),
        ("accounts_url", "data/x.db"),
        ("guests", "maybe"),
    ] {
        let message = Config::default().set(name, value).err().unwrap_or_default();
        assert!(
            message.contains(name) && message.contains(value) && message.contains("Valid: "),
            "{message}"
        );
    }
    assert!(Config::default().set("colour", "red").is_err());
}

#[test]
fn a_proxy_in_front_makes_it_public() {
    let public = |settings: &[(&str, &str)]| {
        let mut config = Config::default();
        for (name, value) in settings {
            assert_eq!(config.set(name, value), Ok(()));
        }
        config.is_public()
    };
    assert!(!public(&[]) && !public(&[("public_url", "http://localhost:8080")]));
    assert!(!public(&[("public_url", "http://127.0.0.1:9000")]));
    assert!(public(&[("listen", "0.0.0.0:8080")]));
    assert!(public(&[("public_url", "https://talk.example")]));
}

#[test]
fn every_documented_default_is_the_real_one() {
    for setting in SETTINGS
        .iter()
        .filter(|s| !["none", "number of cores"].contains(&s.default) && !s.default.contains("DATA"))
    {
        let mut config = Config::default();
        assert_eq!(config.set(setting.name, setting.default), Ok(()));
        assert_eq!(
            format!("{config:?}").replace("\"./", "\""),
            format!("{:?}", Config::default()),
            "{} is documented as {}",
            setting.name,
            setting.default
        );
    }
}
