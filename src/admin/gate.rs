//! Who gets in here.

use crate::accounts::Visitor;
use crate::error::{Error, Result};

/// For others the pages aren't there, and the answer is the one of every address without a page.
fn nothing() -> Error {
    Error::NotFound("There is nothing at this address.")
}

/// Owner, admins and moderators.
///
/// # Errors
/// `NotFound` for everybody else.
pub fn staff_only(visitor: &Visitor) -> Result<()> {
    if visitor.person.is_staff() { Ok(()) } else { Err(nothing()) }
}

/// Owner, admins and moderators, by the API.
///
/// # Errors
/// `Forbidden` for everybody else.
pub fn staff_call(visitor: &Visitor) -> Result<()> {
    if visitor.person.is_staff() {
        return Ok(());
    }
    Err(Error::forbidden("staff_only", "Only those who look after this place may do that."))
}

/// Owner and admins, on pages.
///
/// # Errors
/// `NotFound` for everybody else.
pub fn admins_only(visitor: &Visitor) -> Result<()> {
    if visitor.person.role.administers() { Ok(()) } else { Err(nothing()) }
}

/// Owner and admins, by the API, whose description is no secret.
///
/// # Errors
/// `Forbidden` for everybody else.
pub fn admins_call(visitor: &Visitor) -> Result<()> {
    if visitor.person.role.administers() {
        return Ok(());
    }
    Err(Error::forbidden("admins_only", "Only the owner and the admins of this place may do that."))
}
