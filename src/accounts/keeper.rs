//! Who may change what somebody has brought here.

use super::user::Person;
use crate::ids::UserId;

/// Whoever wants to change a thing: who brought it may, and those who look after the place.
#[derive(Clone, Copy, Debug)]
pub struct Keeper {
    pub id: UserId,
    pub staff: bool,
}

impl From<&Person> for Keeper {
    fn from(person: &Person) -> Self {
        Self { id: person.id, staff: person.is_staff() }
    }
}

impl Keeper {
    /// Whether they may change what this person has brought; what nobody has is the staff's.
    pub fn may_change(self, owner: Option<UserId>) -> bool {
        self.staff || owner == Some(self.id)
    }
}
