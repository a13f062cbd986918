//! The metadata of images in both versions, and of other writers.

use std::sync::Arc;

use expect_test::expect;
use ome_zarr_convert_store::MemoryStore;
use serde_json::json;

use super::*;
use crate::image::{AxisMetadata, Level, OmeroChannel, Window};

fn image() -> ImageMetadata {
    let level = |path: &str, factor: f64| Level {
        path: path.to_owned(),
        scale: vec![1.0, 0.65 * factor],
    };
    ImageMetadata {
        axes: vec![AxisMetadata::named("c"), AxisMetadata::named("x")],
        levels: vec![level("0", 1.0), level("1", 2.0)],
        translation: None,
        channels: Some(vec![OmeroChannel {
            label: "DAPI".to_owned(),
            wavelength_id: None,
            color: "0000FF".to_owned(),
            active: true,
            window: Some(Window {
                min: 0.0,
                max: 65535.0,
                start: 9643.0,
                end: 51958.0,
            }),
        }]),
    }
}

#[test]
fn attributes_of_both_versions() {
    let text = |version| serde_json::to_string(&image().attributes(version).unwrap()).unwrap();
    expect![[r#"{"multiscales":[{"axes":[{"name":"c","type":"channel"},{"name":"x","type":"space","unit":"micrometer"}],"datasets":[{"path":"0","coordinateTransformations":[{"type":"scale","scale":[1.0,0.65]}]},{"path":"1","coordinateTransformations":[{"type":"scale","scale":[1.0,1.3]}]}],"version":"0.4"}],"omero":{"channels":[{"color":"0000FF","window":{"max":65535.0,"min":0.0,"start":9643.0,"end":51958.0},"label":"DAPI","wavelength_id":"DAPI","active":true}]}}"#]]
    .assert_eq(&text(NgffVersion::V04));
    expect![[r#"{"ome":{"version":"0.5","multiscales":[{"axes":[{"name":"c","type":"channel"},{"name":"x","type":"space","unit":"micrometer"}],"datasets":[{"path":"0","coordinateTransformations":[{"type":"scale","scale":[1.0,0.65]}]},{"path":"1","coordinateTransformations":[{"type":"scale","scale":[1.0,1.3]}]}]}],"omero":{"channels":[{"color":"0000FF","window":{"max":65535.0,"min":0.0,"start":9643.0,"end":51958.0},"label":"DAPI","wavelength_id":"DAPI","active":true}]}}}"#]]
    .assert_eq(&text(NgffVersion::V05));
}

#[test]
fn translation_is_written_on_every_level_unless_it_is_nothing() {
    let count = |translation: Vec<f64>| {
        let moved = ImageMetadata {
            translation: Some(translation),
            ..image()
        };
        let attributes = moved.attributes(NgffVersion::V04).unwrap();
        serde_json::to_string(&attributes)
            .unwrap()
            .matches(r#""translation":[0.0,"#)
            .count()
    };
    assert_eq!(count(vec![0.0, -3.5]), 2);
    assert_eq!(count(vec![0.0, 1e-9]), 0);
}

#[test]
fn numbers_that_json_cannot_hold_are_errors() {
    let mut short = image();
    short.levels[1].scale.pop();
    expect![[r#"scale of level "1" is [1.0], expected 2 finite numbers, one per axis"#]]
        .assert_eq(&short.attributes(NgffVersion::V05).unwrap_err().to_string());
    let endless = ImageMetadata {
        translation: Some(vec![0.0, f64::INFINITY]),
        ..image()
    };
    expect!["translation is [0.0, inf], expected 2 finite numbers, one per axis"]
        .assert_eq(&endless.attributes(NgffVersion::V05).unwrap_err().to_string());
}

fn place() -> Location {
    Location::new(Arc::new(MemoryStore::new()), "image")
}

#[test]
fn what_is_written_is_read() {
    for &version in NgffVersion::ALL {
        let dir = place();
        let image = ImageMetadata {
            axes: ["t", "c", "y", "x"].map(AxisMetadata::named).to_vec(),
            levels: vec![Level {
                path: "0".to_owned(),
                scale: vec![2.0, 1.0, 0.216666666667, 12345.678901],
            }],
            translation: Some(vec![0.0, 0.0, -1.5, 7.25]),
            channels: Some(vec![OmeroChannel {
                label: "GFP".to_owned(),
                wavelength_id: Some("488".to_owned()),
                color: "00FF00".to_owned(),
                active: false,
                window: Some(Window {
                    min: 0.0,
                    max: 255.0,
                    start: 1.0,
                    end: 2.0,
                }),
            }]),
        };
        image.write_group(&dir, version).unwrap();
        assert_eq!(ImageMetadata::read(&dir).unwrap(), (image, version));
    }
}

#[test]
fn foreign_metadata_is_read_and_newer_versions_are_refused() {
    let dir = place();
    let scale = json!([{"type": "scale", "scale": [1, 1]}]);
    let multiscale = json!({
        "name": "raw", "type": "gaussian", "axes": [{"name": "y", "long_name": "rows"}, {"name": "x"}],
        "datasets": [{"path": "s0", "coordinateTransformations": scale, "extra": 1}],
    });
    let mut ome = json!({"version": "0.5", "multiscales": [multiscale], "omero": {"channels": [{}], "rdefs": {}}});
    let write = |ome: &serde_json::Value| {
        let attributes = [("ome".to_owned(), ome.clone()), ("other".to_owned(), json!(1))]
            .into_iter()
            .collect();
        write_group(&dir, NgffVersion::V05, &attributes).unwrap();
    };
    write(&ome);
    let (image, _) = ImageMetadata::read(&dir).unwrap();
    assert_eq!(
        image.levels[0],
        Level {
            path: "s0".to_owned(),
            scale: vec![1.0, 1.0]
        }
    );
    assert_eq!(image.channels.unwrap()[0].label, "channel_0");

    ome["version"] = json!("0.6");
    write(&ome);
    let text = ImageMetadata::read(&dir).unwrap_err().to_string();
    assert!(
        text.ends_with("OME-NGFF version \"0.6\" is not supported, use 0.4 or 0.5"),
        "{text}"
    );
}
