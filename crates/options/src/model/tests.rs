//! Reading rules of single values, and fields that the reference does not have.

use expect_test::{Expect, expect};
use serde_json::json;

use super::{InvalidDocument, Model, Value, from_json, model, to_json};

model! {
    /// A document.
    struct Sample "Sample" {
        /// A number.
        pub count: u64 = 3, min 1;
        /// A distance.
        pub distance: f64 = 2.0, exclusive_min 0;
        /// Whether.
        pub flag: bool = false;
        /// Something that only we know.
        pub budget_bytes: Option<u64> = None, ours;
        /// A name.
        pub name: String = "n".to_owned(), older "label";
    }
}

fn read(value: Value) -> Result<Sample, InvalidDocument> {
    from_json(&value, "sample")
}

fn check_problems(value: Value, expected: Expect) {
    expected.assert_eq(&read(value).expect_err("the document is wrong").to_string());
}

#[test]
fn numbers_and_booleans_are_read_as_pydantic_does() {
    let counts = [
        json!(3),
        json!(3.0),
        json!("3"),
        json!(" 3.0 "),
        json!("+3"),
        json!("0_3"),
    ];
    for count in counts {
        assert_eq!(read(json!({"count": count})).expect("lax").count, 3, "{count}");
    }
    assert_eq!(read(json!({"count": true})).expect("lax").count, 1);
    for count in [
        json!(5.5),
        json!("5.5"),
        json!("0x3"),
        json!("3e0"),
        json!("_3"),
        json!(-1),
        json!("abc"),
        json!([3]),
    ] {
        assert!(read(json!({"count": count})).is_err(), "{count}");
    }
    for distance in [json!(0.5), json!(" .5 "), json!("5e-1"), json!("0.5_0")] {
        assert_eq!(
            read(json!({"distance": distance})).expect("lax").distance,
            0.5,
            "{distance}"
        );
    }
    for distance in [json!("inf"), json!("nan"), json!("0.5x"), json!(0), json!(-1)] {
        assert!(read(json!({"distance": distance})).is_err(), "{distance}");
    }
    for flag in [
        json!(true),
        json!("TRUE"),
        json!("yes"),
        json!("on"),
        json!("1"),
        json!(1),
        json!(1.0),
    ] {
        assert!(read(json!({"flag": flag})).expect("lax").flag, "{flag}");
    }
    for flag in [json!(2), json!(0.5), json!(" true"), json!("x")] {
        assert!(read(json!({"flag": flag})).is_err(), "{flag}");
    }
}

#[test]
fn absent_and_null_are_the_default() {
    let default = Sample::default();
    assert_eq!(read(json!({})), Ok(default.clone()));
    assert_eq!(read(json!({"count": null, "flag": null, "name": null})), Ok(default));
}

#[test]
fn our_own_fields_are_written_only_when_they_say_something() {
    let default = Sample::default();
    expect![[r#"{"count":3,"distance":2,"flag":false,"name":"n"}"#]].assert_eq(&to_json(&default).to_string());
    let bounded = Sample {
        budget_bytes: Some(7),
        distance: 3.0,
        ..default
    };
    expect![[r#"{"count":3,"distance":3.0,"flag":false,"budget_bytes":7,"name":"n"}"#]]
        .assert_eq(&to_json(&bounded).to_string());
    assert_eq!(read(bounded.write()), Ok(bounded));
}

#[test]
fn an_older_key_is_read_unless_the_key_of_today_is_there() {
    assert_eq!(read(json!({"label": "old"})).expect("older").name, "old");
    check_problems(
        json!({"label": "old", "name": "new"}),
        expect![
            "invalid sample: `label`: found an unknown key, expected one of the keys `count`, `distance`, `flag`, `budget_bytes`, `name`"
        ],
    );
}

#[test]
fn every_problem_is_reported() {
    check_problems(
        json!({"count": 0, "distance": "far", "Flag": true, "name": 7, "colour": 1}),
        expect![[r#"
            invalid sample: 5 problems
              `count`: found 0, expected at least 1
              `distance`: found "far", expected a finite number
              `name`: found 7, expected a text in quotes
              `Flag`: found an unknown key, expected one of the keys `count`, `distance`, `flag`, `budget_bytes`, `name`; did you mean `flag`?
              `colour`: found an unknown key, expected one of the keys `count`, `distance`, `flag`, `budget_bytes`, `name`"#]],
    );
    check_problems(json!([1]), expect!["invalid sample: found [1], expected an object"]);
}
