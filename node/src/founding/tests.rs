use std::os::unix::fs::PermissionsExt;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::config::Config;

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kring-founding-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

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
    create(dir, founder, Timestamp::from_secs(1_800_000_000), &mut StdRng::seed_from_u64(1))
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
    let dir = Directory::new("read");
    let card = create_in(&dir.0, &founder()).unwrap();
    assert_eq!(read_card(&dir.0.join(file::MEMBER)).unwrap(), card);
    assert_eq!(signing_key(&dir.0).unwrap().verifying_key(), card.card.signing_key);
    let config = Config::load(&dir.0.join(file::CONFIG), [], &[]).unwrap();
    assert_eq!(config.data_dir, dir.0.join("data"));
    assert_eq!(config.listen[0].to_string(), "/ip4/127.0.0.1/tcp/9000");
    assert_eq!(config.api_listen.port(), 9001);
    assert_eq!(config.operations_listen.port(), 9002);
    let tokens: Tokens = toml::from_str(&fs::read_to_string(&config.tokens_file).unwrap()).unwrap();
    let token = fs::read_to_string(dir.0.join(file::TOKEN)).unwrap();
    assert_eq!(tokens.token[0].sha256, hex::encode(sha256(token.trim().as_bytes())));
    assert_eq!(tokens.token[0].expires, "2028-01-15");
}

#[test]
fn secrets_are_for_the_owner_only_and_nowhere_in_clear() {
    let dir = Directory::new("secrets");
    create_in(&dir.0, &founder()).unwrap();
    for name in [file::MASTER_KEY, file::IDENTITY, file::TOKEN, file::TOKENS] {
        assert_eq!(fs::metadata(dir.0.join(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::metadata(&dir.0).unwrap().permissions().mode() & 0o777, 0o700);
    let identity = Identity::random(&mut StdRng::seed_from_u64(1));
    let sealed = fs::read(dir.0.join(file::IDENTITY)).unwrap();
    assert!(!sealed.windows(32).any(|window| window == identity.signing.expose()));
}

#[test]
fn an_identity_is_made_once() {
    let dir = Directory::new("once");
    create_in(&dir.0, &founder()).unwrap();
    let before = fs::read(dir.0.join(file::IDENTITY)).unwrap();
    assert!(matches!(create_in(&dir.0, &founder()), Err(FoundingError::Exists(_))));
    fs::remove_file(dir.0.join(file::CONFIG)).unwrap();
    fs::remove_file(dir.0.join(file::MASTER_KEY)).unwrap();
    assert_eq!(create_in(&dir.0, &founder()), Err(FoundingError::Exists(dir.0.join(file::IDENTITY))));
    assert_eq!(fs::read(dir.0.join(file::IDENTITY)).unwrap(), before);
}

#[test]
fn wrong_cards_and_addresses_are_refused_with_a_reason() {
    let dir = Directory::new("wrong");
    let wrong = Founder { addresses: vec!["/ip4/1.2.3.4/udp/1".into()], ..founder() };
    assert!(matches!(create_in(&dir.0, &wrong), Err(FoundingError::Card(_))));
    assert!(matches!(
        create_in(&dir.0, &Founder { name: "n".repeat(201), ..founder() }),
        Err(FoundingError::Card(_))
    ));
    assert!(!dir.0.join(file::CONFIG).exists());

    create_in(&dir.0, &founder()).unwrap();
    let path = dir.0.join(file::MEMBER);
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
    fs::write(dir.0.join(file::MASTER_KEY), "00".repeat(32)).unwrap();
    assert!(signing_key(&dir.0).unwrap_err().to_string().contains("does not open"));
}
