//! Who a session is, and what it may do.

use std::sync::Arc;

use bytes::Bytes;

use super::{Connection, Password, Server, SessionId, describe};
use crate::{
    acl::{Acl, Context, DEFAULT, Denial, Denied, Reason, User, full_name},
    command::{Refusal, Spec},
    pubsub::Topic,
};

impl Server {
    /// The users, to be changed.
    pub(crate) fn acl_mut(&mut self) -> &mut Acl {
        let password = self.settings.password.as_ref().map(Password::bytes);
        self.acl.get_or_insert_with(|| Box::new(Acl::new(User::unlimited(password))))
    }

    /// Whether anybody may be denied anything.
    pub(super) fn has_users(&self) -> bool {
        self.acl.is_some()
    }

    /// A user by name.
    pub(crate) fn user(&self, name: &[u8]) -> Option<Arc<User>> {
        match &self.acl {
            Some(acl) => acl.get(name).cloned(),
            None => (*name == DEFAULT).then(|| {
                Arc::new(User::unlimited(self.settings.password.as_ref().map(Password::bytes)))
            }),
        }
    }

    /// All users with their names.
    pub(crate) fn users(&self) -> Vec<(Bytes, Arc<User>)> {
        match &self.acl {
            Some(acl) => acl.iter().map(|(name, user)| (name.clone(), Arc::clone(user))).collect(),
            None => self.user(&DEFAULT).map(|user| (DEFAULT, user)).into_iter().collect(),
        }
    }

    /// A server without data and sessions that the same users may come into.
    #[cfg(feature = "serve")]
    pub(crate) fn door(&self) -> Self {
        Self { settings: self.settings.clone(), acl: self.acl.clone(), ..Self::default() }
    }

    /// Whether the user `default` has to say a password.
    pub(crate) fn has_password(&self) -> bool {
        match &self.acl {
            Some(acl) => !acl.default_user().no_password || !acl.default_user().enabled,
            None => self.settings.password.is_some(),
        }
    }

    /// Whether a user may come in with this password.
    pub(crate) fn accepts(&self, user: &[u8], guess: &[u8]) -> bool {
        match &self.acl {
            Some(acl) => acl.get(user).is_some_and(|user| user.accepts(guess)),
            None => {
                let password = &self.settings.password;
                *user == DEFAULT && password.as_ref().is_none_or(|it| it.is(guess))
            }
        }
    }

    /// Sets what the user `default` has to say.
    pub(crate) fn set_password(&mut self, password: Option<Password>) {
        if let Some(acl) = &mut self.acl {
            let new = User::unlimited(password.as_ref().map(Password::bytes));
            let old = (**acl.default_user()).clone();
            let user = User { no_password: new.no_password, secrets: new.secrets, ..old };
            acl.set(DEFAULT, user);
        }
        self.settings.password = password;
    }

    /// Removes a user, and ends the sessions that are this user; whether there was one.
    pub(crate) fn remove_user(&mut self, name: &[u8], asking: SessionId) -> bool {
        if !self.acl_mut().remove(name) {
            return false;
        }
        let theirs: Vec<_> =
            self.sessions().filter(|(_, it)| it.user_name() == *name).map(|(id, _)| id).collect();
        for id in theirs {
            if id == asking {
                self.closed.push(id);
            } else {
                self.kill(id);
            }
        }
        true
    }

    /// Ends the sessions of a user that listen to what they may listen to no more.
    pub(crate) fn end_forbidden_listeners(&mut self, name: &[u8]) {
        let Some(user) = self.user(name) else { return };
        let forbidden = |topic: Topic, names: &std::collections::BTreeSet<Bytes>| {
            names.iter().any(|it| !user.may_listen(it, topic == Topic::Pattern))
        };
        let listens = |session: &super::Session| {
            let of = |topic: Topic| forbidden(topic, &session.subscriptions[topic]);
            of(Topic::Channel) || of(Topic::Pattern) || of(Topic::Shard)
        };
        let theirs = self.sessions().filter(|(_, it)| it.user_name() == *name);
        let ended: Vec<_> = theirs.filter(|(_, it)| listens(it)).map(|(id, _)| id).collect();
        ended.into_iter().for_each(|id| self.kill(id));
    }
}

impl Connection<'_> {
    /// Refuses what the user of the session is not allowed, and notes it.
    pub(super) fn check_user(&mut self, spec: &Spec, arguments: &[Bytes]) -> Result<(), Refusal> {
        let Some(user) = self.server.user(&self.session().user_name()) else { return Ok(()) };
        let Err(denial) = user.check(spec, arguments) else { return Ok(()) };
        let queues = self.in_transaction || self.session().transaction.is_some();
        let context = if queues { Context::Multi } else { Context::TopLevel };
        let text = match &denial {
            Denial::Command => {
                let name = full_name(spec);
                format!("NOPERM this user has no permissions to run the '{name}' command")
            }
            Denial::Key(_) => "NOPERM this user has no permissions to access one of the keys used \
                               as arguments"
                .into(),
            Denial::Channel(_) => "NOPERM this user has no permissions to access one of the \
                                   channels used as arguments"
                .into(),
        };
        self.note_denied(Denied::new(denial, context, spec));
        Err(Refusal(text.into()))
    }

    /// Lends a script the user for whom it runs, if not everything is allowed to them.
    pub(super) fn lend_user(&mut self) {
        let name = self.session().user_name();
        let user = self.server.acl.as_ref().and_then(|acl| acl.get(&name).cloned());
        self.server.service_mut().user = user.filter(|user| !user.is_unlimited());
    }

    /// Notes what scripts were denied.
    pub(super) fn collect_denied(&mut self) {
        for denied in std::mem::take(&mut self.server.service_mut().denied) {
            self.note_denied(denied);
        }
    }

    /// Notes a wrong password.
    pub(crate) fn note_wrong_password(&mut self, user: &[u8]) {
        let object = Bytes::from_static(b"AUTH");
        let denied = Denied { reason: Reason::Auth, context: Context::TopLevel, object };
        self.note_denied_for(denied, Bytes::copy_from_slice(user));
    }

    fn note_denied(&mut self, denied: Denied) {
        let user = self.session().user_name();
        self.note_denied_for(denied, user);
    }

    fn note_denied_for(&mut self, denied: Denied, user: Bytes) {
        let (server, session) = (&self.server, self.session());
        let client = describe(server, self.id, session, self.now_us);
        self.server.denied.add(self.now_us, denied, user, client);
    }
}
