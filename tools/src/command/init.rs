//! `kring init`: founds a partner's node.

use std::path::PathBuf;

use kring_node::clock::Clock;
use kring_node::founding::{self, Founder, Ports, file};
use kring_protocol::covenant::{Kind, Oin, Party};
use kring_protocol::id::MemberId;
use serde_json::json;

use crate::output::{Failure, Output};

/// Make a partner's node: identity, keys, node.toml, an API token, and member.toml
///
/// Send member.toml, which holds no secret, to the covenant's coordinator. Move keys/master.key to another disk than
/// the data and name its place in node.toml: whoever has both can read everything. An existing identity is never
/// overwritten.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directory for the node; made if needed
    #[arg(long, value_name = "D")]
    dir: PathBuf,
    /// The organisation's name as people write it; the member's id follows from it
    #[arg(long)]
    name: String,
    /// Kind of organisation: addiction-care, child-protection-board, hospital, local-team, mental-health-care, other,
    /// police, school, veilig-thuis or youth-protection
    #[arg(long)]
    kind: Kind,
    /// The organisation's identification number: twenty digits
    #[arg(long)]
    oin: Oin,
    /// The legal person behind the organisation [default: the organisation itself]
    #[arg(long)]
    controller: Option<String>,
    /// Who runs the machine [default: the organisation itself]
    #[arg(long)]
    operator: Option<String>,
    /// Persons in the caseload; the budget of evaluations follows from it
    #[arg(long, value_name = "N", default_value_t = 1000)]
    persons: u32,
    /// Where other members can dial the node, TCP or QUIC; may be repeated; none for a node behind a firewall
    #[arg(long, value_name = "MULTIADDR")]
    address: Vec<String>,
    /// First of the node's three ports: members (TCP and UDP), API, operations
    #[arg(long, value_name = "P", default_value_t = 7400, value_parser = clap::value_parser!(u16).range(1..=65533))]
    port: u16,
}

pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    let member = id_of(&args.name, "--name")?;
    let party = |name: &Option<String>, flag| match name {
        Some(name) => id_of(name, flag).map(Party::from),
        None => Ok(Party::from(member.clone())),
    };
    let founder = Founder {
        name: args.name.trim().to_owned(),
        kind: args.kind,
        oin: args.oin.clone(),
        controller: party(&args.controller, "--controller")?,
        operator: party(&args.operator, "--operator")?,
        persons: args.persons,
        addresses: args.address.clone(),
        ports: Ports { members: args.port, api: args.port + 1, operations: args.port + 2 },
        member,
    };
    let card = founding::create(&args.dir, &founder, Clock.now())?.card;
    let member_file = args.dir.join(file::MEMBER);
    let text = format!(
        "{} is {} in the network; its node is in {}.\nNext: send {} to the covenant's coordinator.",
        card.name,
        card.id,
        args.dir.display(),
        member_file.display(),
    );
    output.result(&json!({ "member": card.id, "dir": args.dir, "card": member_file }), &text);
    Ok(())
}

fn id_of(name: &str, flag: &str) -> Result<MemberId, Failure> {
    founding::slug(name)
        .ok_or_else(|| Failure::Usage(format!("{flag} {name:?} has no letter or digit to make an id of")))
}
