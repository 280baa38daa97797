//! Every function that a script can call, as the rows describe it that also bind it: the operations, and those that are the
//! language's own, which `running/bindings` does.

use crate::operations::{self, Called, Course, Example, Function, Group, Opt, Param, Returns, Type};

/// Every function that a script can call, by chapter, in the order of the reference.
pub fn functions() -> Vec<&'static Function> {
    let mut all: Vec<&Function> = rows().collect();
    all.sort_by_key(|function| function.group);
    all
}

fn rows() -> impl Iterator<Item = &'static Function> {
    operations::all().map(|row| &row.function).chain(OWN)
}

/// The function `name`, if there is one.
pub fn function(name: &str) -> Option<&'static Function> {
    rows().find(|function| function.name == name)
}

/// The names of all functions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    rows().map(|function| function.name)
}

/// The language's own, in the order of the reference.
const OWN: &[Function] = &[WAIT_UNTIL, PARAM, STEP, ENSURE, FAIL, EXIT, PRINT, TABLE, JSON, HELP];

pub(crate) const WAIT_UNTIL: Function = Function {
    name: "wait_until",
    group: Group::Wait,
    params: &[
        Param::new("what", Type::Text),
        Param::new("closure", Type::Closure(Called::UntilMet)),
        Param::new("timeout", Type::Duration),
    ],
    returns: Returns::Number,
    course: &[Course::Waits],
    about: "Waits until the closure returns true, looking once a second, and every five seconds later on. Returns \
                the seconds that it took.\n`what` says what is waited for; it is shown meanwhile and named when the \
                timeout is over.\nInstead of false the closure can return a text that says what is missing, or a \
                closure that returns it and asks nothing: what it says is shown meanwhile (a closure's, from ten \
                seconds on), and the last is named in the end, too.\nThe closure may only look: a change inside it is \
                refused. It is asked at least once.\nFails with `timeout`, or with whatever the closure fails with.",
    example: Example::new("wait_until(\"two Pumps are online\", || pumps().len() >= 2, \"1m\")"),
    ..Function::BASE
};

pub(crate) const PARAM: Function = Function {
    name: "param",
    group: Group::Steps,
    params: &[Param::new("name", Type::Text)],
    options: &[
        Opt::new("about", Type::Text, "what it is for, shown by `run FILE --help`"),
        Opt::new("default", Type::Literal, "its value when it is not given"),
        Opt::new(
            "type",
            Type::OneOf(&["text", "integer", "number", "bool", "duration", "secret"]),
            "`text`, `integer`, `number`, `bool`, `duration` (a text such as `90s`) or `secret`; if it is not \
                 said, the default's",
        ),
        Opt::new("choices", Type::Literals, "the values that it may have"),
    ],
    returns: Returns::OfParameter,
    about: "The value given with `--param name=value`, or the default.\nName and options are literals, so that \
                `run FILE --help` knows them without running the script.\nWithout a default it must be given. That, \
                its type and its choices are checked before the script begins.\n\nA `secret` has no default. It is \
                asked for without showing it, or comes from `--param-file name=FILE` or `--param-env name=VARIABLE`, \
                never from the command line itself. It prints as `***`, is taken by `encrypt`, and is kept nowhere: a \
                run that is resumed asks for it again.",
    example: Example::new(
        "param(\"takes\", #{ about: \"how long a restart takes\", type: \"duration\", default: \"30s\" })",
    ),
    ..Function::BASE
};

pub(crate) const STEP: Function = Function {
    name: "step",
    group: Group::Steps,
    params: &[Param::new("name", Type::Text), Param::new("closure", Type::Closure(Called::AsStep))],
    returns: Returns::OfClosure,
    about: "Does a part of the work under a name that is shown when it begins.",
    example: Example::new("step(\"look around\", || pumps().len())"),
    ..Function::BASE
};

pub(crate) const ENSURE: Function = Function {
    name: "ensure",
    group: Group::Steps,
    params: &[Param::new("condition", Type::Bool), Param::new("text", Type::Text)],
    course: &[Course::Waits],
    about: "Goes on if the condition is true, and fails with the text otherwise (exit code 1).",
    example: Example::new("ensure(pumps().len() > 1, \"this needs another Pump\")"),
    ..Function::BASE
};

pub(crate) const FAIL: Function = Function {
    name: "fail",
    group: Group::Steps,
    params: &[Param::new("text", Type::Text)],
    returns: Returns::Never,
    course: &[Course::Waits],
    about: "Fails with the text (exit code 1). A caller may catch it.",
    example: Example::new("if pumps().is_empty() { fail(\"no Pump is registered\") }"),
    ..Function::BASE
};

pub(crate) const EXIT: Function = Function {
    name: "exit",
    group: Group::Steps,
    params: &[Param::optional("code", Type::Int)],
    returns: Returns::Never,
    course: &[Course::Gates],
    about: "Ends the script at once with an exit code from 0 to 255; 0 if none is given.\nNothing can catch \
                    it, and it prints nothing.",
    example: Example::new("if pumps().is_empty() { exit(2) }"),
    ..Function::BASE
};

pub(crate) const PRINT: Function = Function {
    name: "print",
    group: Group::Show,
    params: &[Param::new("x", Type::Anything)],
    about: "Prints the value as text on a line of standard output.",
    example: Example::new("print(`${pumps().len()} Pumps`)"),
    ..Function::BASE
};

pub(crate) const TABLE: Function = Function {
    name: "table",
    group: Group::Show,
    params: &[Param::new("x", Type::Anything)],
    about: "Shows nodes, maps or an array of them as a table (or as `--output` says).",
    example: Example::new("table(pumps())"),
    ..Function::BASE
};

pub(crate) const JSON: Function = Function {
    name: "json",
    group: Group::Show,
    params: &[Param::new("x", Type::Anything)],
    about: "Shows the value as JSON, whatever `--output` says.",
    example: Example::new("json(pumps())"),
    ..Function::BASE
};

pub(crate) const HELP: Function = Function {
    name: "help",
    group: Group::Show,
    params: &[Param::optional("name", Type::Text)],
    returns: Returns::Text,
    about: "Without a name a list of all functions; with one its signature, documentation, options, guards \
                    and an example.\n`help(\"Node\")`, `help(\"Time\")` and `help(\"Error\")` describe the types. It \
                    also knows the modules of the library, the guards, the kinds of errors and of harm, and the rules \
                    of `check`.",
    example: Example::new("help(\"pumps\")"),
    ..Function::BASE
};
