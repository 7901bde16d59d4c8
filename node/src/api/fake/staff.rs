//! The people of a node for tests.

use super::*;

fn person(id: &str) -> PersonView {
    PersonView {
        id: id.into(),
        name: "A. Bakker".into(),
        function: Some("teacher".into()),
        teams: vec!["t0".into()],
        active: true,
        away: Some(AwayView {
            now: true,
            from_date: Some("2027-01-01".into()),
            until_date: Some("2027-01-31".into()),
            substitute: None,
        }),
        all: Some(AllView {
            sign_in: SignInView::Local("a.bakker".into()),
            email: "a@school.example".into(),
            phone: "+31101234567".into(),
            roles: vec!["professional"],
            mail: "digest",
            created_at: "2026-11-21T20:00:00Z".into(),
        }),
    }
}

fn team() -> TeamView {
    TeamView { id: "t0".into(), name: "Team Noord".into() }
}

impl Fake {
    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }

    fn one(&self, id: &str) -> Outcome<PersonView> {
        (id == "p0").then(|| person(id)).ok_or(ApplicationError::NotFound)
    }
}

impl Staff for Fake {
    async fn people(&self, _: &Actor) -> Outcome<Vec<PersonView>> {
        let names = PersonView { away: None, all: None, ..person("p1") };
        Ok(vec![person("p0"), names])
    }

    async fn person(&self, _: &Actor, id: &str) -> Outcome<PersonView> {
        self.one(id)
    }

    async fn add_person(
        &self,
        _: &Actor,
        form: PersonForm,
        idempotency: Option<Idempotency>,
    ) -> Outcome<PersonView> {
        self.noted(idempotency);
        self.note(format!("{:?} {:?} {:?}", form.name, form.roles, form.sign_in.is_some()));
        Ok(person("p0"))
    }

    async fn change_person(&self, _: &Actor, id: &str, form: PersonForm) -> Outcome<PersonView> {
        self.note(format!("{:?} {}", form.active, form.is_contact_only()));
        self.one(id)
    }

    async fn set_absence(
        &self,
        _: &Actor,
        id: &str,
        absence: Option<NewAbsence>,
        idempotency: Option<Idempotency>,
    ) -> Outcome<PersonView> {
        self.noted(idempotency);
        self.note(format!("{absence:?}"));
        self.one(id)
    }

    async fn invite(&self, _: &Actor, id: &str) -> Outcome<ActivationView> {
        self.one(id)?;
        Ok(ActivationView {
            code: "01234-56789-ABCDE-FGHJK".to_owned().into(),
            expires_at: "2026-11-25T12:00:00Z".to_owned(),
        })
    }

    async fn teams(&self, _: &Actor) -> Outcome<Vec<TeamView>> {
        Ok(vec![team()])
    }

    async fn add_team(&self, _: &Actor, name: String, idempotency: Option<Idempotency>) -> Outcome<TeamView> {
        self.noted(idempotency);
        Ok(TeamView { name, ..team() })
    }

    async fn hand_over_signal(
        &self,
        actor: &Actor,
        id: &str,
        to: Option<String>,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        self.noted(idempotency);
        Ok(SignalView { offered_to: to, ..self.signal(actor, id).await? })
    }

    async fn accept_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        self.noted(idempotency);
        self.signal(actor, id).await
    }

    async fn decline_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> Outcome<DeclinedView> {
        self.noted(idempotency);
        Ok(DeclinedView { id: self.signal(actor, id).await?.id })
    }

    async fn assign_signal(
        &self,
        actor: &Actor,
        id: &str,
        to: String,
        idempotency: Option<Idempotency>,
    ) -> Outcome<SignalView> {
        self.noted(idempotency);
        Ok(SignalView { owner: Some(to), ..self.signal(actor, id).await? })
    }

    async fn erase_signal(
        &self,
        actor: &Actor,
        id: &str,
        idempotency: Option<Idempotency>,
    ) -> Outcome<ErasedView> {
        self.noted(idempotency);
        Ok(ErasedView { id: self.signal(actor, id).await?.id })
    }

    async fn access_request(&self, _: &Actor, _: NewPerson) -> Outcome<HeldView> {
        let text = |text: &str| text.to_owned();
        let person = HeldPersonView {
            basis: vec![text("bsn")],
            role: text("child"),
            bsn: text("999990019"),
            given_names: text("Sanne"),
            name_prefix: String::new(),
            family_name: text("Jong"),
            born: text("31-03-2014"),
            postal_code: String::new(),
            house_number: String::new(),
            house_number_suffix: String::new(),
        };
        let shared = SharedView {
            partner: Some(text("school")),
            since_date: text("2026-11-21"),
            live: true,
            state: Some(NoticeState::Open),
            contact_date: None,
            outcome: MaybeOutcome(None),
            their_outcome: MaybeOutcome(Some(Came::NoFollowUp)),
        };
        let signal = HeldSignalView {
            id: text("s0"),
            case_reference: text("case-1"),
            purpose: text("care"),
            legal_ground: text("Jeugdwet"),
            state: SignalState::Active,
            created_at: text("2026-11-21T20:00:00Z"),
            expires_at: text("2027-11-21T20:00:00Z"),
            family_informed: Some(true),
            persons: vec![person],
            shared: vec![shared],
        };
        Ok(HeldView { signals: vec![signal] })
    }
}
