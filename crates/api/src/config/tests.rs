use super::*;

fn config(vars: &[(&str, &str)]) -> Result<Config, BadSettings> {
    Config::from_variables(vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn refusal(name: &str, value: &str) -> String {
    config(&[(name, value)]).unwrap_err().to_string()
}

#[test]
fn nothing_set_is_the_embedded_server() {
    let config = config(&[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.store, StoreChoice::Sqlite("./data/natter.db".into()));
    assert_eq!(config.secret_file, PathBuf::from("./data/secret"));
    assert_eq!((config.bcrypt_cost, config.password_min), (12, 10));
    assert_eq!((config.access_ttl_s, config.refresh_ttl_s), (900, 86_400));
    assert!(config.rate_limits && config.warnings.is_empty() && config.redis.is_none());
}

#[test]
fn a_wrong_value_is_named_with_what_is_accepted() {
    for (name, bad) in [
        ("NATTER_LISTEN", "8080"),
        ("NATTER_LISTEN", "127.0.0.1:99999"),
        ("NATTER_PUBLIC_URL", "chat.example.org"),
        ("NATTER_PUBLIC_URL", "https://chat.example.org/chat"),
        ("NATTER_PUBLIC_URL", "https://user@chat.example.org"),
        ("NATTER_PUBLIC_URL", "ftp://chat.example.org"),
        ("NATTER_STORE", "postgres://x"),
        ("NATTER_STORE", "sqlite:"),
        ("NATTER_STORE", "mongo://127.0.0.1/natter"),
        ("NATTER_REDIS", "127.0.0.1:6379"),
        ("NATTER_REDIS", "redis://a:6379,b:6379"),
        ("NATTER_REDIS_PREFIX", "a b"),
        ("NATTER_WEB_DIR", "/nonexistent"),
        ("NATTER_BCRYPT_COST", "3"),
        ("NATTER_BCRYPT_COST", "17"),
        ("NATTER_PASSWORD_MIN", "7"),
        ("NATTER_ACCESS_TTL", "0"),
        ("NATTER_ACCESS_TTL", "3601"),
        ("NATTER_REFRESH_TTL", "-1"),
        ("NATTER_RATE_LIMITS", "yes"),
        ("NATTER_EVENTS_DAYS", "-1"),
        ("NATTER_EVENTS_DAYS", "4000"),
        ("NATTER_METRICS_LISTEN", "9464"),
        ("NATTER_METRICS_LISTEN", "127.0.0.1:8080"),
        ("NATTER_METRICS_LISTEN", "0.0.0.0:8080"),
        ("NATTER_OTLP_ENDPOINT", "collector:4318"),
        ("NATTER_OTLP_SAMPLE", "1.5"),
        ("NATTER_OTLP_SAMPLE", "NaN"),
        ("NATTER_TRUSTED_PROXIES", "proxy"),
        ("NATTER_LOG", "natter_api=loud"),
        ("NATTER_LOG_FORMAT", "xml"),
    ] {
        let sentence = refusal(name, bad);
        assert!(sentence.starts_with(name), "{sentence}");
    }
    assert_eq!(
        refusal("NATTER_ACCESS_TTL", "4000"),
        "NATTER_ACCESS_TTL is \"4000\", but must be a whole number from 1 to 3600"
    );
}

#[test]
fn all_wrong_settings_are_told_at_once() {
    let wrong = config(&[("NATTER_BCRYPT_COST", "x"), ("NATTER_LOG_FORMAT", "x")]).unwrap_err();
    assert_eq!(wrong.0.len(), 2);
}

#[test]
fn a_password_in_an_address_is_not_repeated() {
    for (name, value) in [
        ("NATTER_STORE", "mongo://ann:hunter22@127.0.0.1/natter"),
        ("NATTER_STORE", "postgres://ann:hunter22@127.0.0.1/natter"),
        ("NATTER_REDIS", "redis://:hunter22@127.0.0.1:port"),
        ("NATTER_REDIS", "http://ann:hunter22@127.0.0.1"),
    ] {
        assert!(!refusal(name, value).contains("hunter22"), "{name}");
    }
    let mongo = [("NATTER_STORE", "mongodb://ann:hunter22@127.0.0.1/natter"), ("NATTER_SECRET_FILE", "secret")];
    assert!(!format!("{:?}", config(&mongo).unwrap()).contains("hunter22"));
    assert!(!refusal("NATTER_STORE", mongo[0].1).contains("hunter22"), "the secret file is missing");
}

#[test]
fn a_mongodb_is_named_by_its_address_and_needs_a_shared_key() {
    for address in ["mongodb://a:27017,b:27017/natter?replicaSet=rs0", "mongodb+srv://db.example.org/natter"] {
        let store = ("NATTER_STORE", address);
        let read = config(&[store, ("NATTER_SECRET_FILE", "/etc/natter/secret")]).unwrap();
        assert_eq!(read.store, StoreChoice::Mongo(MongoUrl::parse(address).unwrap()));
        assert_eq!(read.secret_file, PathBuf::from("/etc/natter/secret"));
        for missing in [config(&[store]), config(&[store, ("NATTER_SECRET_FILE", " ")])] {
            let said = missing.unwrap_err().to_string();
            assert!(said.starts_with("NATTER_SECRET_FILE") && said.contains("openssl rand -hex 32"), "{said}");
        }
    }
}

#[test]
fn redis_is_one_server_or_a_cluster() {
    for redis in ["redis://:hunter22@127.0.0.1:6379/2", "rediss://cache.example", "redis+cluster://a:1,b:2"] {
        let config = config(&[("NATTER_REDIS", redis)]).unwrap();
        assert!(!format!("{config:?}").contains("hunter22"));
        assert!(config.redis.is_some() && config.redis_prefix == "natter:");
        assert_eq!(config.warnings.len(), 1, "SQLite is one node's own: {:?}", config.warnings);
    }
    assert!(refusal("NATTER_REDIS", "localhost").contains("redis+cluster://"), "it says what is accepted");
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_one() {
    assert!(refusal("NATTER_LISTN", "x").contains("did you mean NATTER_LISTEN?"));
    assert!(refusal("NATTER_BCRYPT", "12").contains("did you mean NATTER_BCRYPT_COST?"));
    let tools = config(&[("NATTER_E2E_BROWSER", "/usr/bin/chromium")]).unwrap();
    assert_eq!(tools.warnings.len(), 1);
}

#[test]
fn weak_settings_are_accepted_and_said() {
    let weak = config(&[("NATTER_BCRYPT_COST", "4"), ("NATTER_RATE_LIMITS", "off")]).unwrap();
    assert_eq!(weak.warnings.len(), 2);
}

#[test]
fn the_public_url_is_spelled_as_browsers_spell_origins() {
    for (given, origin) in [
        ("https://Chat.Example.org/", "https://chat.example.org"),
        ("https://chat.example.org:443", "https://chat.example.org"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ] {
        assert_eq!(config(&[("NATTER_PUBLIC_URL", given)]).unwrap().public_url.as_deref(), Some(origin));
    }
}

#[test]
fn an_origin_counts_letter_by_letter() {
    let origins = Origins::new(Some("https://app.example"), SocketAddr::from(([0, 0, 0, 0], 443)));
    assert!(origins.allows("https://app.example") && origins.is_https());
    for evil in [
        "https://evil.example",
        "https://app.example.evil.com",
        "https://evilapp.example",
        "null",
        "http://app.example",
        "https://app.example:8443",
        "https://APP.example",
        "https://app.example.",
        "https://app.example/",
        "",
    ] {
        assert!(!origins.allows(evil), "{evil}");
    }
    let local = Origins::new(None, SocketAddr::from(([127, 0, 0, 1], 8080)));
    assert!(local.allows("http://localhost:8080") && !local.allows("http://localhost:8081"));
    assert_eq!(local.public_url(), "http://127.0.0.1:8080");
}

#[test]
fn the_manual_lists_every_setting_in_order_with_its_default() {
    let manual = include_str!("../../config.default.toml");
    let lines: Vec<_> = manual.lines().filter(|line| line.starts_with("NATTER_")).collect();
    let expected: Vec<_> = SETTINGS.iter().map(|s| s.name).collect();
    let listed: Vec<_> = lines.iter().filter_map(|line| line.split(" = ").next()).collect();
    assert_eq!(listed, expected);
    for Setting { name, .. } in SETTINGS {
        assert!(help().contains(name), "{name}");
    }
    let vars = lines.iter().filter_map(|line| line.split_once(" = "));
    let vars = vars.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()));
    assert!(Config::from_variables(vars).is_ok(), "the manual's own values are accepted");
}

#[test]
fn an_address_with_a_password_may_be_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let path = file.to_str().unwrap();
    assert!(refusal("NATTER_STORE_FILE", path).contains("cannot be read"));
    std::fs::write(&file, " \n").unwrap();
    assert!(refusal("NATTER_STORE_FILE", path).contains("is empty"));
    std::fs::write(&file, "sqlite:/srv/natter.db\n").unwrap();
    let read = config(&[("NATTER_STORE_FILE", path)]).unwrap();
    assert_eq!(read.store, StoreChoice::Sqlite("/srv/natter.db".into()));
    let both = config(&[("NATTER_STORE_FILE", path), ("NATTER_STORE", "sqlite:a.db")]).unwrap_err().to_string();
    assert!(both.contains("both set"), "{both}");
    // An empty one is none, as with every setting.
    assert!(config(&[("NATTER_STORE_FILE", ""), ("NATTER_STORE", "sqlite:a.db")]).is_ok());
    std::fs::write(&file, "redis://natter:s3cret@redis:6379\n").unwrap();
    assert!(config(&[("NATTER_REDIS_FILE", path)]).unwrap().redis.is_some());
    std::fs::write(&file, "redis://natter:s3cret@a:1,b:2\n").unwrap();
    let refused = refusal("NATTER_REDIS_FILE", path);
    assert!(!refused.contains("s3cret"), "{refused}");
}

#[test]
fn the_numbers_have_a_listener_of_their_own() {
    let of = |metrics: &str| config(&[("NATTER_METRICS_LISTEN", metrics)]).map(|config| config.metrics_listen);
    assert_eq!(of(""), Ok(None));
    assert_eq!(of("0.0.0.0:9464"), Ok(Some(SocketAddr::from(([0, 0, 0, 0], 9_464)))));
    let free = config(&[("NATTER_LISTEN", "127.0.0.1:0"), ("NATTER_METRICS_LISTEN", "127.0.0.1:0")]).unwrap();
    assert!(free.metrics_listen.is_some(), "each takes a free port of its own");
    let elsewhere = config(&[("NATTER_LISTEN", "10.0.0.1:80"), ("NATTER_METRICS_LISTEN", "10.0.0.2:80")]).unwrap();
    assert!(elsewhere.metrics_listen.is_some());
    assert!(config(&[("NATTER_LISTEN", "[::]:80"), ("NATTER_METRICS_LISTEN", "10.0.0.2:80")]).is_err());
}

#[test]
fn traces_are_sent_where_they_are_asked_for() {
    assert_eq!(config(&[("NATTER_OTLP_SAMPLE", "0.5")]).unwrap().traces, None);
    let traces = config(&[("NATTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"), ("NATTER_OTLP_SAMPLE", "0.05")]).unwrap();
    let expected = Traces { endpoint: "http://127.0.0.1:4318/v1/traces".to_owned(), sample: 0.05 };
    assert_eq!(traces.traces, Some(expected));
}
