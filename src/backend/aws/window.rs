//! Maintenance windows in the service's words. Pure.

use crate::api::MaintenanceWindow;

/// How long the window is. The service asks for 30 minutes at least (API reference, `PreferredMaintenanceWindow`).
const MINUTES: u32 = 60;
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MINUTES_OF_A_DAY: u32 = 24 * 60;

/// `ddd:hh:mm-ddd:hh:mm` in UTC; none when weekday or time cannot be read.
pub(super) fn of(window: &MaintenanceWindow) -> Option<String> {
    let day = weekday(&window.weekday)?;
    let begin = day * MINUTES_OF_A_DAY + minutes(&window.starttime)?;
    let end = (begin + MINUTES) % (MINUTES_OF_A_DAY * 7);
    Some(format!("{}-{}", moment(begin), moment(end)))
}

/// The day of the week from Sunday on, by its name or its number, as the original took it.
fn weekday(text: &str) -> Option<u32> {
    let lower = text.trim().to_lowercase();
    let number = lower.parse().ok().filter(|number: &u32| *number < 7);
    let by_name = || DAYS.iter().position(|day| lower.starts_with(day)).and_then(|at| u32::try_from(at).ok());
    number.or_else(by_name)
}

fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn moment(minutes: u32) -> String {
    let day = usize::try_from(minutes / MINUTES_OF_A_DAY).ok().and_then(|day| DAYS.get(day));
    let of_day = minutes % MINUTES_OF_A_DAY;
    format!("{}:{:02}:{:02}", day.unwrap_or(&"sun"), of_day / 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Mon", "03:00", Some("mon:03:00-mon:04:00"))]
    #[case("0", "3:05", Some("sun:03:05-sun:04:05"))]
    #[case("Wed", "23:30", Some("wed:23:30-thu:00:30"))]
    #[case("Sat", "23:30", Some("sat:23:30-sun:00:30"))]
    #[case("7", "03:00", None)]
    #[case("Mon", "24:00", None)]
    #[case("Someday", "03:00", None)]
    fn a_window_is_an_hour_and_ends_on_the_right_day(
        #[case] weekday: &str,
        #[case] starttime: &str,
        #[case] expected: Option<&str>,
    ) {
        let window = MaintenanceWindow { weekday: weekday.to_owned(), starttime: starttime.to_owned() };
        assert_eq!(of(&window).as_deref(), expected);
    }
}
