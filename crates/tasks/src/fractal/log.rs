//! The log of a task, on standard error: `time; name; LEVEL; message`, or as the environment says.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::error::TaskError;

const LEVEL: &str = "FRACTAL_TASK_LOG_LEVEL";
const FORMAT: &str = "FRACTAL_TASK_LOG_FORMAT";
const DEFAULT_FORMAT: &str = "%(asctime)s; %(name)s; %(levelname)s; %(message)s";

/// Starts the log of a task, unless the program has started one of its own.
///
/// The variable `FRACTAL_TASK_LOG_LEVEL` is one of `DEBUG`, `INFO` (default), `WARNING`, `ERROR` and `CRITICAL`;
/// `FRACTAL_TASK_LOG_FORMAT` is a format of Python's `logging`, such as `%(asctime)s; %(levelname)-8s; %(message)s`. When one of
/// them cannot be used the log is started with defaults, so that the error can be told.
pub fn start_log() -> Result<(), TaskError> {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let format = variable(FORMAT).map_or_else(|| Format::parse(DEFAULT_FORMAT), |text| Format::parse(&text));
    let level = variable(LEVEL).map_or(Ok(Level::INFO), |text| level(&text));
    let usable = format.clone().or_else(|_| Format::parse(DEFAULT_FORMAT));
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(*level.as_ref().unwrap_or(&Level::INFO))
        .event_format(usable.unwrap_or_default());
    // Fails only when logging has been started before, which is as good.
    let _ = subscriber.try_init();
    let wrong = |name: &str, problem: String| TaskError::Arguments {
        place: format!("the environment variable {name}"),
        problem,
    };
    level.map_err(|problem| wrong(LEVEL, problem))?;
    format.map_err(|problem| wrong(FORMAT, problem))?;
    Ok(())
}

fn level(text: &str) -> Result<Level, String> {
    match text {
        "DEBUG" => Ok(Level::DEBUG),
        "INFO" => Ok(Level::INFO),
        "WARNING" => Ok(Level::WARN),
        // Nothing here is more than an error.
        "ERROR" | "CRITICAL" => Ok(Level::ERROR),
        _ => Err(format!(
            "found {text:?}, expected DEBUG, INFO, WARNING, ERROR or CRITICAL"
        )),
    }
}

/// What stands in a log line.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Time,
    Name,
    LevelName,
    LevelNumber,
    Message,
    Process,
    ThreadName,
    File,
    Line,
}

const PARTS: [(&str, Part); 14] = [
    ("asctime", Part::Time),
    ("name", Part::Name),
    ("module", Part::Name),
    ("funcName", Part::Name),
    ("levelname", Part::LevelName),
    ("levelno", Part::LevelNumber),
    ("message", Part::Message),
    ("process", Part::Process),
    ("processName", Part::Process),
    ("thread", Part::ThreadName),
    ("threadName", Part::ThreadName),
    ("filename", Part::File),
    ("pathname", Part::File),
    ("lineno", Part::Line),
];

/// A log line: literal texts and parts with the width they are filled up to (negative: on the right).
#[derive(Clone, Debug, Default, PartialEq)]
struct Format(Vec<(String, Option<(Part, i32)>)>);

impl Format {
    /// Reads a format of Python's `logging` in its `%` style.
    fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            literal.push_str(before);
            if let Some(after) = after.strip_prefix('%') {
                literal.push('%');
                rest = after;
                continue;
            }
            let problem = || format!("found {text:?}, expected fields like %(message)s");
            let (name, after) = after
                .strip_prefix('(')
                .and_then(|after| after.split_once(')'))
                .ok_or_else(problem)?;
            let part = PARTS.iter().find(|(known, _)| *known == name).ok_or_else(|| {
                let known: Vec<&str> = PARTS.iter().map(|(known, _)| *known).collect();
                format!(
                    "found the field {name:?} in {text:?}, expected one of {}",
                    known.join(", ")
                )
            })?;
            let end = after
                .find(|c: char| !(c.is_ascii_digit() || c == '-'))
                .ok_or_else(problem)?;
            let (width, conversion) = after.split_at(end);
            let width = if width.is_empty() { Ok(0) } else { width.parse() };
            let width = width.map_err(|_| problem())?;
            rest = conversion.strip_prefix(['s', 'd']).ok_or_else(problem)?;
            pieces.push((std::mem::take(&mut literal), Some((part.1, width))));
        }
        literal.push_str(rest);
        pieces.push((literal, None));
        Ok(Self(pieces))
    }
}

impl<S, N> FormatEvent<S, N> for Format
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let message = event_message(event);
        let metadata = event.metadata();
        for (literal, part) in &self.0 {
            writer.write_str(literal)?;
            let Some((part, width)) = part else { continue };
            let text = match part {
                Part::Time => jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S,%3f").to_string(),
                Part::Name => metadata.target().to_owned(),
                Part::LevelName => level_name(*metadata.level()).to_owned(),
                Part::LevelNumber => level_number(*metadata.level()).to_owned(),
                Part::Message => message.clone(),
                Part::Process => std::process::id().to_string(),
                Part::ThreadName => std::thread::current().name().unwrap_or("unnamed").to_owned(),
                Part::File => metadata.file().unwrap_or("unknown").to_owned(),
                Part::Line => metadata.line().unwrap_or(0).to_string(),
            };
            let columns = width.unsigned_abs() as usize;
            if *width < 0 {
                write!(writer, "{text:<columns$}")?;
            } else {
                write!(writer, "{text:>columns$}")?;
            }
        }
        writer.write_char('\n')
    }
}

/// The words of Python's logging, which Fractal looks for.
fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        _ => "DEBUG",
    }
}

fn level_number(level: Level) -> &'static str {
    match level {
        Level::ERROR => "40",
        Level::WARN => "30",
        Level::INFO => "20",
        _ => "10",
    }
}

/// The text of an event.
pub fn event_message(event: &Event<'_>) -> String {
    let mut message = Message::default();
    event.record(&mut message);
    message.0
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_python() {
        let format = Format::parse("%(asctime)s; %(levelname)-8s 100%% %(lineno)4d!").unwrap();
        let part = |literal: &str, part: Part, width| (literal.to_owned(), Some((part, width)));
        assert_eq!(
            format.0,
            [
                part("", Part::Time, 0),
                part("; ", Part::LevelName, -8),
                part(" 100% ", Part::Line, 4),
                ("!".to_owned(), None)
            ]
        );
        assert!(Format::parse(DEFAULT_FORMAT).is_ok());
        for (text, word) in [
            ("%(asctime)", "fields like"),
            ("%s", "fields like"),
            ("%(msg)s", "\"msg\""),
            ("%(message)x", "fields like"),
            ("100 %", "fields like"),
        ] {
            let problem = Format::parse(text).unwrap_err();
            assert!(problem.contains(word), "{problem}");
        }
    }

    #[test]
    fn levels_are_those_of_python() {
        assert_eq!(level("WARNING"), Ok(Level::WARN));
        assert!(level("warn").unwrap_err().contains("found \"warn\""));
    }
}
