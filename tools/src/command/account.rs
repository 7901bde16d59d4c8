//! `kring account`: who works for this partner, over the API.

use clap::{Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::notice::{cell, path_of};
use super::signal::Node;
use crate::client::JSON;
use crate::output::{Failure, Output};

/// Accounts of the people who work for this partner
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Add an account
    Add {
        #[command(flatten)]
        node: Node,
        #[command(flatten)]
        sign_in: SignIn,
        /// Name, as on a contact card
        #[arg(long)]
        name: String,
        /// E-mail address at work
        #[arg(long)]
        email: String,
        /// What they do; several separated by commas
        #[arg(long, required = true, value_delimiter = ',')]
        role: Vec<Role>,
        #[command(flatten)]
        fields: Fields,
    },
    /// List the accounts
    List {
        #[command(flatten)]
        node: Node,
    },
    /// Show one account
    Show {
        #[command(flatten)]
        node: Node,
        /// The account's id
        id: String,
    },
    /// Change what is named of an account, and nothing else
    ///
    /// Who leaves gets `--active false`: nobody can sign in to the account any more, and its signals are without owner
    /// until a supervisor assigns them.
    Update {
        #[command(flatten)]
        node: Node,
        /// The account's id
        id: String,
        #[command(flatten)]
        changes: Changes,
        #[command(flatten)]
        fields: Fields,
    },
    /// Say when somebody is away and who stands in for them, or that they are back
    Absence {
        #[command(flatten)]
        node: Node,
        /// The account's id
        id: String,
        #[command(flatten)]
        away: Away,
        /// The account of whoever stands in
        #[arg(long, value_name = "ACCOUNT", conflicts_with = "none")]
        substitute: Option<String>,
    },
}

/// By what they sign in.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct SignIn {
    /// Signs in with this user name
    #[arg(long, value_name = "NAME")]
    local: Option<String>,
    /// Signs in at the OpenID provider, which calls them this (`sub`)
    #[arg(long, value_name = "SUB")]
    provider: Option<String>,
}

/// What else an account may say.
#[derive(Debug, clap::Args)]
struct Fields {
    /// Telephone number
    #[arg(long)]
    phone: Option<String>,
    /// Function, from the covenant's list
    #[arg(long)]
    function: Option<String>,
    /// Teams, by their ids; several separated by commas
    #[arg(long, value_name = "TEAM", value_delimiter = ',')]
    team: Vec<String>,
    /// How they are mailed
    #[arg(long)]
    mail: Option<Mail>,
}

/// What may change.
#[derive(Debug, clap::Args)]
struct Changes {
    /// Name, as on a contact card
    #[arg(long)]
    name: Option<String>,
    /// E-mail address at work
    #[arg(long)]
    email: Option<String>,
    /// What they do, in the place of what they did; several separated by commas
    #[arg(long, value_delimiter = ',')]
    role: Vec<Role>,
    /// Whether they still work here
    #[arg(long)]
    active: Option<bool>,
}

/// When they are away.
#[derive(Debug, clap::Args)]
struct Away {
    /// First day, such as 2027-01-31
    #[arg(long, value_name = "DATE", requires = "until", required_unless_present = "none")]
    from: Option<String>,
    /// Last day
    #[arg(long, value_name = "DATE", requires = "from")]
    until: Option<String>,
    /// They are back
    #[arg(long, conflicts_with_all = ["from", "until"])]
    none: bool,
}

/// What somebody does.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// Works with families
    Professional,
    /// Sees that the notices of a team are answered
    Supervisor,
    /// Answers persons who ask what is held about them, and erases
    PrivacyOfficer,
    /// Reads the audit log for the board
    BoardAuditor,
    /// Keeps accounts and teams, imports caseloads
    FunctionalAdministrator,
    /// Keeps the node running
    TechnicalAdministrator,
}

impl Role {
    /// As the API writes it.
    const fn word(self) -> &'static str {
        match self {
            Self::Professional => "professional",
            Self::Supervisor => "supervisor",
            Self::PrivacyOfficer => "privacyOfficer",
            Self::BoardAuditor => "boardAuditor",
            Self::FunctionalAdministrator => "functionalAdministrator",
            Self::TechnicalAdministrator => "technicalAdministrator",
        }
    }
}

/// How somebody is mailed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mail {
    /// Once a day
    Digest,
    /// One by one
    AtOnce,
}

impl Mail {
    /// As the API writes it.
    const fn word(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::AtOnce => "atOnce",
        }
    }
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    match &args.act {
        Act::Add { node, sign_in, name, email, role, fields } => {
            let mut body = fields.body();
            body.insert("name".to_owned(), json!(name));
            body.insert("email".to_owned(), json!(email));
            body.insert("roles".to_owned(), words(role));
            let sign_in = match (&sign_in.local, &sign_in.provider) {
                (Some(name), _) => json!({ "local": name }),
                (None, sub) => json!({ "provider": sub }),
            };
            body.insert("signIn".to_owned(), sign_in);
            let answer = node.client()?.post("/people", JSON, Value::from(body).to_string().as_bytes())?;
            output.result(&answer, &format!("added {}", cell(&answer["id"])));
        }
        Act::List { node } => {
            let answer = node.client()?.get("/people")?;
            output.result(&answer, &table(&answer));
        }
        Act::Show { node, id } => {
            let answer = node.client()?.get(&path_of("people", id)?)?;
            output.result(&answer, &format!("{answer:#}"));
        }
        Act::Update { node, id, changes, fields } => {
            let body = changes.onto(fields.body());
            if body.is_empty() {
                return Err(Failure::Usage("nothing to change; `--help` shows what can be".to_owned()));
            }
            let answer =
                node.client()?.patch(&path_of("people", id)?, Value::from(body).to_string().as_bytes())?;
            output.result(&answer, &format!("changed {id}"));
        }
        Act::Absence { node, id, away, substitute } => {
            let body = json!({ "fromDate": away.from, "untilDate": away.until, "substitute": substitute });
            let path = format!("{}/absence", path_of("people", id)?);
            let answer = node.client()?.post(&path, JSON, body.to_string().as_bytes())?;
            let text = if away.none { format!("{id} is back") } else { format!("{id} is away") };
            output.result(&answer, &text);
        }
    }
    Ok(())
}

fn words(roles: &[Role]) -> Value {
    roles.iter().map(|role| role.word()).collect()
}

impl Fields {
    fn body(&self) -> Map<String, Value> {
        let mut body = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        put("phone", self.phone.as_ref().map(|phone| json!(phone)));
        put("function", self.function.as_ref().map(|function| json!(function)));
        put("teams", (!self.team.is_empty()).then(|| json!(self.team)));
        put("mail", self.mail.map(|mail| json!(mail.word())));
        body
    }
}

impl Changes {
    fn onto(&self, mut body: Map<String, Value>) -> Map<String, Value> {
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        put("name", self.name.as_ref().map(|name| json!(name)));
        put("email", self.email.as_ref().map(|email| json!(email)));
        put("roles", (!self.role.is_empty()).then(|| words(&self.role)));
        put("active", self.active.map(|active| json!(active)));
        body
    }
}

fn table(people: &Value) -> String {
    let rows = people.as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |person: &Value| {
        let list = |name: &str| {
            let values = person[name].as_array().map(Vec::as_slice).unwrap_or_default();
            values.iter().map(cell).collect::<Vec<_>>().join(",")
        };
        let active = if person["active"] == true { "active" } else { "left" };
        let [id, name] = ["id", "name"].map(|key| cell(&person[key]));
        [id, name, active.to_owned(), list("roles"), list("teams")].join("  ")
    };
    let mut lines: Vec<_> = rows.iter().map(row).collect();
    lines.push(format!("{} accounts", rows.len()));
    lines.join("\n")
}
