//! Lines for people and for logs, and the exit code: the one place that writes to the terminal's streams.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt;
use std::process::ExitCode;

use ome_zarr_convert_tasks::TaskError;
use ome_zarr_convert_tasks::documents::Notice;
use ome_zarr_convert_tasks::fractal::event_message;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Log lines for people on the terminal: warnings only, the rest is progress and summary.
pub fn for_people() {
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(Level::WARN)
        .event_format(People);
    // Fails only when logging has been started before, which is as good.
    let _ = subscriber.try_init();
}

/// Warnings as JSON lines among the events, for a program that reads these.
pub fn for_programs() {
    let subscriber = tracing_subscriber::fmt()
        .with_writer(std::io::stdout)
        .with_max_level(Level::WARN)
        .event_format(Programs);
    // Fails only when logging has been started before, which is as good.
    let _ = subscriber.try_init();
}

/// A line for people, on standard error: standard output is for answers.
pub fn say(text: &str) {
    eprintln!("{text}");
}

/// An answer, on standard output. A reader that has seen enough (`| head`) is no failure.
pub fn print(text: &str) {
    use std::io::{ErrorKind, Write, stdout};
    match writeln!(stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => eprintln!("error: cannot write the answer: {error}"),
        _ => {}
    }
}

/// The exit code of a command. Its error is written once, with what to do where a flag helps; with `as_json` it is also the last line for
/// programs.
pub fn exit(done: Result<(), TaskError>, as_json: bool) -> ExitCode {
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    if let Some(hint) = crate::hints::hint(&error) {
        eprintln!("hint: {hint}");
    }
    if as_json {
        let failed = Notice::Failed {
            error: error.to_string(),
            fault: error.fault(),
        };
        print(&failed.to_json().to_string());
    }
    ExitCode::from(error.exit_code())
}

/// The exit code of a command that judges: 1 when what it looked at is not in order.
pub fn exit_verdict(done: Result<bool, TaskError>) -> ExitCode {
    match done {
        Ok(false) => ExitCode::FAILURE,
        done => exit(done.map(drop), false),
    }
}

/// A warning as a sentence.
struct People;

impl<S, N> FormatEvent<S, N> for People
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if *event.metadata().level() == Level::WARN {
            writer.write_str("warning: ")?;
        }
        writeln!(writer, "{}", event_message(event))
    }
}

/// A warning as a JSON line.
struct Programs;

impl<S, N> FormatEvent<S, N> for Programs
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        writeln!(writer, "{}", Notice::Warning(event_message(event)).to_json())
    }
}
