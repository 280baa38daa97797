//! What is asked and what comes back, by type: a question's answer is known where the question is written.

use crate::error::{Error, Result};
use crate::world::{Answer, Request};

/// Something asked of a world whose answer has a type of its own.
pub trait Query: Into<Request> {
    /// What comes back.
    type Reply;

    /// The reply in `answer`, or the answer itself where it belongs to something else.
    ///
    /// # Errors
    /// The answer of another query.
    fn reply(answer: Answer) -> std::result::Result<Self::Reply, Box<Answer>>;
}

/// The reply to `Q` in what came back for it.
///
/// # Errors
/// `internal` when it belongs to something else.
pub(crate) fn reply_to<Q: Query>(answer: Answer) -> Result<Q::Reply> {
    Q::reply(answer).map_err(|answer| {
        Error::internal(format!("the world answered a {} with {answer:?}", std::any::type_name::<Q>()))
    })
}

/// Defines an enum of requests, and beside it a type for each of them that is a [`Query`].
macro_rules! requests {
    (
        $(#[$about:meta])*
        $all:ident as $wrapped:ident, in $module:ident: $module_about:literal
        $(
            $(#[$doc:meta])*
            $name:ident $({ $( $(#[$field_doc:meta])* $field:ident: $type:ty ),+ $(,)? })? => $answer:ident $(($reply:ty))?;
        )+
        $(@whole {
            $( $(#[$whole_doc:meta])* $whole:ident => $whole_answer:ident $(($whole_reply:ty))?; )+
        })?
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $all {
            $(
                $(#[$doc])*
                $name $({ $( $(#[$field_doc])* $field: $type ),+ })?,
            )+
            $($( $(#[$whole_doc])* $whole($whole), )+)?
        }

        impl From<$all> for $crate::world::Request {
            fn from(request: $all) -> Self {
                Self::$wrapped(request)
            }
        }

        $($(
            impl From<$whole> for $crate::world::Request {
                fn from(whole: $whole) -> Self {
                    $all::$whole(whole).into()
                }
            }

            $crate::world::query::requests!(@query $whole $whole_answer $(($whole_reply))?);
        )+)?

        #[doc = $module_about]
        pub mod $module {
            use super::*;
            $(
                $crate::world::query::requests!(@type $(#[$doc])* $name $({ $( $(#[$field_doc])* $field: $type ),+ })?);

                impl From<$name> for $crate::world::Request {
                    fn from(query: $name) -> Self {
                        let $name $({ $($field),+ })? = query;
                        $all::$name $({ $($field),+ })?.into()
                    }
                }

                $crate::world::query::requests!(@query $name $answer $(($reply))?);
            )+
        }
    };
    (@type $(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name;
    };
    (@type $(#[$doc:meta])* $name:ident { $( $(#[$field_doc:meta])* $field:ident: $type:ty ),+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name { $( $(#[$field_doc])* pub $field: $type ),+ }
    };
    (@query $name:ident $answer:ident) => {
        impl $crate::world::Query for $name {
            type Reply = ();

            fn reply(answer: $crate::world::Answer) -> std::result::Result<(), Box<$crate::world::Answer>> {
                match answer {
                    $crate::world::Answer::$answer => Ok(()),
                    other => Err(Box::new(other)),
                }
            }
        }
    };
    (@query $name:ident $answer:ident ($reply:ty)) => {
        impl $crate::world::Query for $name {
            type Reply = $reply;

            fn reply(answer: $crate::world::Answer) -> std::result::Result<$reply, Box<$crate::world::Answer>> {
                match answer {
                    $crate::world::Answer::$answer(reply) => Ok(reply),
                    other => Err(Box::new(other)),
                }
            }
        }
    };
}
pub(super) use requests;
