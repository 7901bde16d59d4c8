//! Who may do what: pure rules, nothing else decides.
//!
//! Two questions. [`may`] is about the kind of work and asks for a role only; who lacks it is told so. [`may_with`] is about
//! one case; for who may not see it, it is not there. A person with several roles may do what any of them may.
//!
//! Not here: how a request names its actor (`crate::api::auth`), and scopes, which cut a token's access down further.

use kring_protocol::time::Day;

use super::account::{Account, AccountId, Role, TeamId};

/// Whose a case is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// The professional.
    pub owner: Option<AccountId>,
    /// Their team.
    pub team: Option<TeamId>,
    /// To whom the owner wants to hand it over.
    pub offered_to: Option<AccountId>,
}

/// On whose behalf something is asked.
#[allow(clippy::large_enum_variant, reason = "one at a time, for as long as a request takes")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// A token without a person: the partner's own system, which may do whatever its scopes say.
    System,
    /// Somebody.
    Person(Account),
}

/// Work that asks for a role, not for a certain case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// Makes a signal.
    MakeSignal,
    /// Works on signals and notices: those that [`may_with`] shows.
    WorkOnCases,
    /// Sees which signals nobody owns.
    SignalsWithoutOwner,
    /// Gives cases to somebody.
    AssignCases,
    /// Takes a caseload in; no case is shown.
    Import,
    /// Answers a person who asks what is held about them.
    AccessRequest,
    /// Erases a case.
    Erase,
    /// Sees who works here: names, teams, functions.
    ReadNames,
    /// Makes and changes accounts and teams.
    ChangePeople,
    /// Sees the network, keys, waiting work.
    ReadNetwork,
    /// Sees the covenant.
    ReadCovenant,
    /// Reads the audit log.
    ReadAudit,
}

impl Act {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::MakeSignal,
        Self::WorkOnCases,
        Self::SignalsWithoutOwner,
        Self::AssignCases,
        Self::Import,
        Self::AccessRequest,
        Self::Erase,
        Self::ReadNames,
        Self::ChangePeople,
        Self::ReadNetwork,
        Self::ReadCovenant,
        Self::ReadAudit,
    ];

    /// Whose work it is.
    const fn roles(self) -> &'static [Role] {
        use Role::{
            BoardAuditor, FunctionalAdministrator, PrivacyOfficer, Professional, Supervisor,
            TechnicalAdministrator,
        };
        match self {
            Self::MakeSignal => &[Professional],
            Self::WorkOnCases => &[Professional, Supervisor],
            Self::SignalsWithoutOwner | Self::AssignCases => &[Supervisor],
            Self::AccessRequest | Self::Erase => &[PrivacyOfficer],
            Self::ReadNames => &[Professional, Supervisor, FunctionalAdministrator, TechnicalAdministrator],
            Self::Import | Self::ChangePeople => &[FunctionalAdministrator],
            Self::ReadNetwork => &[TechnicalAdministrator],
            Self::ReadCovenant => &[BoardAuditor, TechnicalAdministrator],
            Self::ReadAudit => &[PrivacyOfficer, BoardAuditor],
        }
    }
}

/// What is done with one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseAct {
    /// Looks at it.
    See,
    /// Responds, records contact, settles the lead, closes, mutes, renews, withdraws, hands over.
    Change,
    /// Gives it to somebody.
    Assign,
    /// Takes over what was offered.
    TakeOver,
}

impl CaseAct {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::See, Self::Change, Self::Assign, Self::TakeOver];
}

/// What is done with one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountAct {
    /// Sees who it is: name, function, teams.
    SeeName,
    /// Sees also when they are away, and says so for them.
    Absence,
    /// Sees everything about it, and changes how they are reached.
    Contact,
    /// Changes what they may do: roles, teams, whether it is active, how they sign in, what they are called.
    Standing,
}

impl AccountAct {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::SeeName, Self::Absence, Self::Contact, Self::Standing];
}

/// What the rules need to know of the others.
pub trait Colleagues {
    /// An account, active or not.
    fn account(&self, id: &AccountId) -> Option<Account>;

    /// The active supervisors, of this team or of all.
    fn supervisors(&self, team: Option<&TeamId>) -> Vec<Account>;
}

/// Whether the viewer's role is one that this work is for.
#[must_use]
pub fn may(viewer: &Viewer, act: Act) -> bool {
    match viewer {
        Viewer::System => true,
        Viewer::Person(account) => act.roles().iter().any(|role| account.acts_as(*role)),
    }
}

/// Whether the viewer may do this with a case of this ownership.
#[must_use]
pub fn may_with(viewer: &Viewer, act: CaseAct, of: &Ownership, people: &impl Colleagues, today: Day) -> bool {
    let me = match viewer {
        // Nobody offers a case to a system.
        Viewer::System => return act != CaseAct::TakeOver,
        Viewer::Person(account) => account,
    };
    let professional = me.acts_as(Role::Professional);
    let offered = professional && of.offered_to == Some(me.id);
    let supervises = supervises(me, of, people);
    let acts_for_owner = professional
        && owner(of, people).is_some_and(|owner| owner.id == me.id || owner.substitute(today) == Some(me.id));
    match act {
        CaseAct::See => {
            let in_team = professional && of.team.is_some_and(|team| me.teams.contains(&team));
            acts_for_owner || in_team || offered || supervises
        }
        CaseAct::Change => acts_for_owner || supervises,
        CaseAct::Assign => supervises,
        CaseAct::TakeOver => offered,
    }
}

/// Whether the viewer may do this with an account. Nobody changes what they may do themselves.
#[must_use]
pub fn may_with_account(viewer: &Viewer, act: AccountAct, account: &Account) -> bool {
    let me = match viewer {
        Viewer::System => return true,
        Viewer::Person(me) => me,
    };
    let myself = me.active && me.id == account.id;
    let keeps = may(viewer, Act::ChangePeople);
    let supervises = me.acts_as(Role::Supervisor) && !me.teams.is_disjoint(&account.teams);
    match act {
        AccountAct::SeeName => myself || supervises || may(viewer, Act::ReadNames),
        AccountAct::Absence => myself || supervises || keeps,
        AccountAct::Contact => myself || keeps,
        AccountAct::Standing => keeps && !myself,
    }
}

/// Whether the viewer does the daily work on a case: whom it is told of.
#[must_use]
pub fn works_on(viewer: &Viewer, of: &Ownership, people: &impl Colleagues, today: Day) -> bool {
    let Viewer::Person(me) = viewer else { return true };
    match owner(of, people) {
        Some(owner) => {
            let stands_in = owner.substitute(today) == Some(me.id);
            me.acts_as(Role::Professional) && (owner.id == me.id || stands_in)
        }
        None => supervises(me, of, people),
    }
}

/// Who owns a case: an active professional, or nobody.
#[must_use]
pub fn owner(of: &Ownership, people: &impl Colleagues) -> Option<Account> {
    of.owner.and_then(|id| people.account(&id)).filter(|owner| owner.acts_as(Role::Professional))
}

/// Who supervises a case: the supervisors of its team; all of them where it has no team, or a team without one, so that
/// no case is without.
#[must_use]
pub fn supervisors(of: &Ownership, people: &impl Colleagues) -> Vec<Account> {
    let of_team = of.team.map(|team| people.supervisors(Some(&team))).unwrap_or_default();
    if of_team.is_empty() { people.supervisors(None) } else { of_team }
}

fn supervises(me: &Account, of: &Ownership, people: &impl Colleagues) -> bool {
    me.acts_as(Role::Supervisor) && supervisors(of, people).iter().any(|supervisor| supervisor.id == me.id)
}

#[cfg(test)]
mod tests;
