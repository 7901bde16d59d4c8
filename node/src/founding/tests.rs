use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::testing::TempDir;

fn founder() -> Founder {
    Founder {
        member: slug("Veilig Thuis Oost").unwrap(),
        name: "Veilig Thuis Oost".into(),
        kind: Kind::VeiligThuis,
        oin: "00000001234567890000".parse().unwrap(),
        controller: "stichting".parse().unwrap(),
        operator: "ict".parse().unwrap(),
        persons: 300,
        addresses: vec!["/ip4/127.0.0.1/tcp/9000".into()],
        ports: Ports { members: 9000, api: 9001, operations: 9002 },
    }
}

fn create_in(dir: &Path, founder: &Founder) -> Result<SignedCard, FoundingError> {
    create(dir, founder, Timestamp::from_secs(1_800_000_000))
}

#[test]
fn slugs_of_names() {
    let cases = [
        ("Veilig Thuis Oost", "veilig-thuis-oost"),
        ("Basisschool 't Veld", "basisschool-t-veld"),
        ("Één & Süd  (GGZ)", "een-sud-ggz"),
        ("--a--", "a"),
        ("Øst/ß", "ost-ss"),
        ("Een heel lange naam van een school", "een-heel-lange-naam-van-een-scho"),
        ("Een heel lange naam van deze b bb", "een-heel-lange-naam-van-deze-b-b"),
        ("Een heel lange naam van een bes s", "een-heel-lange-naam-van-een-bes"),
    ];
    for (name, expected) in cases {
        assert_eq!(slug(name).unwrap().as_str(), expected, "{name}");
    }
    for name in ["", "---", "  ", "!"] {
        assert_eq!(slug(name), None, "{name}");
    }
}

#[test]
fn a_founded_node_can_be_read_back() {
    let dir = TempDir::new();
    let card = create_in(dir.path(), &founder()).unwrap();
    assert_eq!(read_card(&dir.path().join(file::MEMBER)).unwrap(), card);
    let config = Config::load(&dir.path().join(file::CONFIG), [], &[]).unwrap();
    assert_eq!(config.data_dir, dir.path().join("data"));
    assert_eq!(config.listen[0].to_string(), "/ip4/127.0.0.1/tcp/9000");
    assert_eq!(config.api_listen.port(), 9001);
    assert_eq!(config.operations_listen.port(), 9002);
    assert_eq!(signing_key(&config).unwrap().verifying_key(), card.card.signing_key);
    let tokens = tokens::load(&config.tokens_file).unwrap();
    let token = fs::read_to_string(dir.path().join(file::TOKEN)).unwrap();
    assert_eq!(*tokens[0].hash.as_bytes(), kring_protocol::crypto::sha256(token.trim().as_bytes()));
}

#[test]
fn secrets_are_for_the_owner_only() {
    let parent = TempDir::new();
    let dir = parent.path().join("node");
    create_in(&dir, &founder()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for name in [file::MASTER_KEY, file::IDENTITY, file::TOKEN, file::TOKENS] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&dir), 0o700);
}

#[test]
fn an_identity_is_made_once() {
    let dir = TempDir::new();
    create_in(dir.path(), &founder()).unwrap();
    let before = fs::read(dir.path().join(file::IDENTITY)).unwrap();
    assert!(matches!(create_in(dir.path(), &founder()), Err(FoundingError::Exists(_))));
    fs::remove_file(dir.path().join(file::CONFIG)).unwrap();
    fs::remove_file(dir.path().join(file::MASTER_KEY)).unwrap();
    assert_eq!(
        create_in(dir.path(), &founder()),
        Err(FoundingError::Exists(dir.path().join(file::IDENTITY)))
    );
    assert_eq!(fs::read(dir.path().join(file::IDENTITY)).unwrap(), before);
}

#[test]
fn wrong_cards_and_addresses_are_refused_with_a_reason() {
    let dir = TempDir::new();
    let wrong = Founder { addresses: vec!["/ip4/1.2.3.4/udp/1".into()], ..founder() };
    assert!(matches!(create_in(dir.path(), &wrong), Err(FoundingError::Card(_))));
    assert!(matches!(
        create_in(dir.path(), &Founder { name: "n".repeat(201), ..founder() }),
        Err(FoundingError::Card(_))
    ));
    assert!(!dir.path().join(file::CONFIG).exists());

    create_in(dir.path(), &founder()).unwrap();
    let path = dir.path().join(file::MEMBER);
    let good = fs::read_to_string(&path).unwrap();
    let cases = [
        (good.replace("persons = 300", "persons = 3"), "altered"),
        (good.replace("version = 1", "version = 2"), "version 2 is not known"),
        (good.replace("version = 1", ""), "no `version = 1`"),
        (good.replace("persons", "perons"), "not a member card"),
    ];
    for (text, expected) in cases {
        fs::write(&path, text).unwrap();
        let error = read_card(&path).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("member.toml"), "{error}");
    }
    let config = Config::load(&dir.path().join(file::CONFIG), [], &[]).unwrap();
    fs::write(&config.master_key_file, "00".repeat(32)).unwrap();
    assert!(matches!(signing_key(&config), Err(FoundingError::Keys(KeyError::WrongKey(_)))));
}
