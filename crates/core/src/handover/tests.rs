//! The document of an image: its exact text, that it survives, and what is refused.

use std::sync::Arc;

use expect_test::{Expect, expect};
use indexmap::IndexMap;
use ome_zarr_convert_geometry::PixelType;
use ome_zarr_convert_ngff::Cell;
use ome_zarr_convert_sources::LoaderSpec;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{ConvertParallelInitArgs, ParallelizationEntry, image_from_json, image_from_json_str, image_to_json};
use crate::collection::{Collection, CustomCollection, ImageInPlate, SingleImage};
use crate::options::{ChannelInfo, HexColor};
use crate::roi::Roi;
use crate::tile::Attributes;
use crate::tiled_image::{Region, TiledImage};
use ome_zarr_convert_geometry::{Axis, Space, Span};

/// A document with every key, as the reference's `model_dump_json` writes it.
const DOCUMENT: &str = r##"{"regions":[{"roi":{"name":"FOV_0","slices":[{"axis_name":"c","start":0.0,"length":1.0},{"axis_name":"y","start":-0.5,"length":31.2},{"axis_name":"x","start":1e-7,"length":41.6}],"label":null,"space":"world","y_micrometer_original":-0.5,"x_micrometer_original":1e-7,"operator":"Ada"},"image_loader":{"file_path":"data/a.tif"}}],"path":"P.zarr/A/01/0","name":null,"xy_pixel_size":0.65,"z_spacing":5.0,"t_spacing":1.0,"data_type":"uint16","axes":["c","y","x"],"collection":{"plate_name":"P","row":"A","column":1,"acquisition":0},"channels":[{"channel_label":"DAPI","wavelength_id":"405","color":"#0000FF"}],"translation":[0.0,-0.5,1e-7],"attributes":{"drug":["DMSO",null],"dose":[1,2],"ph":[7.0,null],"dead":[true,false]}}"##;

#[test]
fn the_text_is_the_references_own() {
    let image = image_from_json_str(DOCUMENT, "document").unwrap();
    assert_eq!(image_to_json(&image).unwrap(), DOCUMENT);
    // A database has sorted the keys, which changes nothing but the order of columns.
    let sorted: std::collections::BTreeMap<String, Value> = serde_json::from_str(DOCUMENT).unwrap();
    let sorted = serde_json::to_value(sorted).unwrap();
    assert_eq!(image_from_json(sorted, "document").unwrap(), image);
}

/// The document with changes: values of keys, `null` for what shall be missing.
fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = serde_json::from_str(DOCUMENT).unwrap();
    change(&mut document);
    document
}

fn refuses(change: impl FnOnce(&mut Value), expected: Expect) {
    let error = image_from_json(changed(change), "image.json").unwrap_err();
    expected.assert_eq(&format!("{error}\n"));
}

#[test]
fn unknown_keys_are_named() {
    refuses(
        |d| d["channel"] = json!([]),
        expect![[r#"
            image.json: it is not the document of an image: channel: unknown key `channel` (is `channels` meant?): unknown field `channel`, expected one of `regions`, `path`, `name`, `xy_pixel_size`, `z_spacing`, `t_spacing`, `data_type`, `axes`, `collection`, `channels`, `translation`, `attributes`
        "#]],
    );
    refuses(
        |d| d["regions"][0]["loader"] = json!({}),
        expect![[r#"
            image.json: it is not the document of an image: regions[0].loader: unknown field `loader`, expected `roi` or `image_loader`
        "#]],
    );
    refuses(
        |d| d["regions"][0]["roi"]["slices"][0]["stop"] = json!(1),
        expect![[r#"
            image.json: it is not the document of an image: regions[0].roi.slices[0].stop: unknown field `stop`, expected one of `axis_name`, `start`, `length`
        "#]],
    );
    refuses(
        |d| d["channels"][0]["colour"] = json!("#FF0000"),
        expect![[r#"
        invalid image.json (image P.zarr/A/01/0), channels[0]: `colour`: found an unknown key, expected one of the keys `channel_label`, `wavelength_id`, `color`; did you mean `color`?
    "#]],
    );
}

#[test]
fn values_that_make_no_image() {
    refuses(
        |d| d["data_type"] = json!("uint12"),
        expect![[r#"
        image.json (image P.zarr/A/01/0): data_type is "uint12", which OME-Zarr does not know
    "#]],
    );
    refuses(
        |d| d["axes"] = json!(["c", "y", "w"]),
        expect![[r#"
        image.json (image P.zarr/A/01/0): axes hold "w"; known are t, c, z, y, x
    "#]],
    );
    let with_axes = |axes: &[&str]| {
        let axes = json!(axes);
        move |document: &mut Value| (document["axes"], document["translation"]) = (axes, Value::Null)
    };
    refuses(
        with_axes(&["y", "x"]),
        expect![[r#"
        image.json (image P.zarr/A/01/0): region "FOV_0" has a slice along "c", which is not an axis of the image
    "#]],
    );
    refuses(
        with_axes(&["c", "z", "y", "x"]),
        expect![[r#"
        image.json (image P.zarr/A/01/0): region "FOV_0" has no slice along z
    "#]],
    );
    refuses(
        with_axes(&["y", "c", "x"]),
        expect![[r#"
        image.json (image P.zarr/A/01/0): axes are y, c, x, but they must keep the order t, c, z, y, x, each once
    "#]],
    );
    refuses(
        with_axes(&["c", "y", "y", "x"]),
        expect![[r#"
        image.json (image P.zarr/A/01/0): axes are c, y, y, x, but they must keep the order t, c, z, y, x, each once
    "#]],
    );
    refuses(
        |d| d["translation"] = json!([0.0]),
        expect![[r#"
        image.json (image P.zarr/A/01/0): translation has 1 numbers, but there are 3 axes
    "#]],
    );
    refuses(
        |d| d["channels"] = json!([]),
        expect![[r#"
        tile 'FOV_0' (data/a.tif): it holds channels 0 to 0 of image P.zarr/A/01/0, which lists 0
    "#]],
    );
    refuses(
        |d| d["collection"]["column"] = json!(0),
        expect![[r#"
        image.json (image P.zarr/A/01/0): collection needs plate_name (text), row, column (from 1) and acquisition (from 0)
    "#]],
    );
    refuses(
        |d| d["attributes"]["drug"] = json!(["DMSO", 1]),
        expect![[r#"
        image.json (image P.zarr/A/01/0): attribute "drug" mixes text with other values; use one type
    "#]],
    );
    refuses(
        |d| d["regions"][0]["roi"]["space"] = json!("stage"),
        expect![[r#"
            image.json: it is not the document of an image: regions[0].roi.space: unknown variant `stage`, expected `world` or `pixel`
        "#]],
    );
    refuses(
        |d| d["path"] = json!(null),
        expect![[r#"
            image.json: it is not the document of an image: path: invalid type: null, expected a string
        "#]],
    );
    let cut = image_from_json_str(&DOCUMENT[..100], "image.json").unwrap_err();
    expect![[r#"
        image.json: it is not the document of an image: regions[0].roi.slices[1]: EOF while parsing an object at line 1 column 100
    "#]]
    .assert_eq(&format!("{cut}\n"));
}

#[test]
fn what_others_leave_out_or_spell_otherwise() {
    let image = image_from_json(
        json!({
            "path": "P.zarr/B/02/0",
            "data_type": "uint8",
            "axes": ["y", "x"],
            "regions": null,
            "attributes": null,
            "collection": {"plate_name": "P", "row": 2, "column": "03", "well_note": "x"},
        }),
        "document",
    )
    .unwrap();
    expect![[r#"
        {"regions":[],"path":"P.zarr/B/02/0","name":null,"xy_pixel_size":1.0,"z_spacing":1.0,"t_spacing":1.0,"data_type":"uint8","axes":["y","x"],"collection":{"plate_name":"P","row":"B","column":3,"acquisition":0,"well_note":"x"},"channels":null,"translation":null,"attributes":{}}
    "#]].assert_eq(&format!("{}\n", image_to_json(&image).unwrap()));
}

#[test]
fn an_entry_has_one_source() {
    let entry = |args: Value| json!({"zarr_url": "/out/P.zarr/A/01/0", "init_args": args});
    let read = |value: Value| ParallelizationEntry::from_value(&value).map(|entry| entry.to_value());
    let error = |value: Value| read(value).unwrap_err().to_string();

    let inline =
        entry(json!({"tiled_image_json_str": "{}", "tiled_image_json_dump_url": null, "converter_options": {}}));
    let written = read(inline).unwrap();
    assert_eq!(written["init_args"]["overwrite_mode"], "No Overwrite");
    assert_eq!(written["init_args"].get("tiled_image_json_dump_url"), None);
    assert_eq!(read(written.clone()).unwrap(), written);

    let both = json!({"tiled_image_json_str": "{}", "tiled_image_json_dump_url": "/x", "converter_options": {}});
    let mut extra = entry(json!({"tiled_image_json_str": "{}", "converter_options": {}}));
    extra["zarr_urls"] = json!([]);
    let errors = [
        error(entry(both)),
        error(entry(json!({"converter_options": {}}))),
        error(entry(json!({"tiled_image_json_str": "{}"}))),
        error(extra),
        error(json!({"init_args": {}})),
        ConvertParallelInitArgs::from_value(&json!([])).unwrap_err().to_string(),
    ];
    expect![[r#"
        init_args: exactly one of tiled_image_json_dump_url and tiled_image_json_str must be given, both are
        init_args: exactly one of tiled_image_json_dump_url and tiled_image_json_str must be given, none are
        invalid init_args: `converter_options`: missing, expected a value: this key has no default
        an entry of the parallelization list: unknown key "zarr_urls"; an entry has zarr_url and init_args
        an entry of the parallelization list: zarr_url is missing or no text
        invalid init_args: found [], expected an object
    "#]]
    .assert_eq(&(errors.join("\n") + "\n"));
}

fn number() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        NORMAL | SUBNORMAL | ZERO | POSITIVE | NEGATIVE,
        (-1000..1000_i32).prop_map(f64::from)
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9_ ]{1,8}", any::<String>()]
}

/// Values of one type, some missing.
fn cells() -> impl Strategy<Value = Vec<Cell>> {
    fn gappy(cell: impl Strategy<Value = Cell>) -> impl Strategy<Value = Vec<Cell>> {
        vec(prop_oneof![4 => cell, 1 => Just(Cell::Null)], 0..4)
    }
    prop_oneof![
        gappy(text().prop_map(Cell::Text)),
        gappy(any::<i64>().prop_map(Cell::Int)),
        gappy(number().prop_map(Cell::Float)),
        gappy(any::<bool>().prop_map(Cell::Bool)),
    ]
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        number().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| vec(inner, 0..3).prop_map(Value::from))
}

/// Keys that others add.
fn extra() -> impl Strategy<Value = Map<String, Value>> {
    vec(("x_[a-z]{1,4}", json_value()), 0..3).prop_map(|pairs| pairs.into_iter().collect())
}

fn collections() -> impl Strategy<Value = Collection> {
    let place = (text(), "[A-Z]{1,2}", 1..100_u32, any::<u32>(), extra());
    prop_oneof![
        place.prop_map(
            |(plate_name, row, column, acquisition, extra)| Collection::ImageInPlate(ImageInPlate {
                plate_name,
                row,
                column,
                acquisition,
                extra
            })
        ),
        (text(), extra()).prop_map(|(image_path, extra)| Collection::SingleImage(SingleImage { image_path, extra })),
        extra().prop_map(|extra| Collection::Custom(CustomCollection {
            path: "P/x".into(),
            extra
        })),
    ]
}

fn loaders() -> impl Strategy<Value = LoaderSpec> {
    prop_oneof![
        text().prop_map(|file_path| LoaderSpec::File { file_path }),
        extra().prop_map(|keys| LoaderSpec::Custom(Box::new(keys))),
    ]
}

fn regions(axes: Vec<Axis>, channels: Option<usize>) -> impl Strategy<Value = Region> {
    let spans = vec((number(), 0.0..1e6_f64), 5);
    let of_reader = (
        text(),
        option::of(any::<u64>()),
        any::<bool>(),
        vec(option::of(number()), 3),
    );
    (spans, of_reader, option::of(extra()), loaders()).prop_map(
        move |(spans, (name, label, world, originals), extra, image_loader)| {
            let space = if world { Space::World } else { Space::Pixel };
            let span = |axis: Axis| match (axis, channels) {
                (Axis::C, Some(count)) => Span {
                    start: 0.0,
                    length: count as f64,
                },
                _ => Span {
                    start: spans[axis.index()].0,
                    length: spans[axis.index()].1,
                },
            };
            let mut roi = Roi::new(name, space, axes.iter().map(|axis| (*axis, span(*axis))));
            roi.label = label;
            roi.originals[2..].copy_from_slice(&originals);
            roi.extra = extra.filter(|extra| !extra.is_empty()).map(Box::new);
            Region { roi, image_loader }
        },
    )
}

fn images() -> impl Strategy<Value = TiledImage> {
    let axes = proptest::sample::subsequence(Axis::ALL.to_vec(), 1..=5);
    let channel = (text(), option::of(text()), "#[0-9A-Fa-f]{6}");
    let channels = option::of(vec(channel, 1..4));
    let data_types = proptest::sample::select(vec![
        PixelType::Bool,
        PixelType::UInt8,
        PixelType::Int16,
        PixelType::Float64,
    ]);
    (axes, channels, collections(), data_types).prop_flat_map(|(axes, channels, collection, data_type)| {
        let channels = channels.map(|channels| {
            let channel = |(channel_label, wavelength_id, color): (String, _, String)| ChannelInfo {
                channel_label,
                wavelength_id,
                color: HexColor::parse(&color),
            };
            channels.into_iter().map(channel).collect::<Vec<_>>()
        });
        let regions = vec(regions(axes.clone(), channels.as_ref().map(Vec::len)), 0..4);
        let attributes = vec((text(), cells()), 0..4);
        let translation = option::of(vec(number(), axes.len()));
        (regions, attributes, translation, option::of(text()), vec(number(), 3)).prop_map(
            move |(regions, attributes, translation, name, spacings)| TiledImage {
                regions,
                path: "P/x".into(),
                name,
                xy_pixel_size: spacings[0],
                z_spacing: spacings[1],
                t_spacing: spacings[2],
                data_type,
                axes: axes.clone(),
                collection: Arc::new(collection.clone()),
                channels: channels.clone(),
                translation,
                attributes: attributes.into_iter().collect::<IndexMap<_, _>>() as Attributes,
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_image_survives_its_document(image in images()) {
        let text = image_to_json(&image).unwrap();
        let read = image_from_json_str(&text, "document").unwrap();
        prop_assert_eq!(&read, &image);
        prop_assert_eq!(image_to_json(&read).unwrap(), text);
    }

    #[test]
    fn what_is_no_document_is_an_error(value in json_value(), key in 0..12_usize, text in any::<String>()) {
        prop_assert!(image_from_json_str(&text, "document").is_err());
        // Any value under any key: an image or an error, never a panic.
        let document = changed(|document| {
            let (_, place) = document.as_object_mut().unwrap().iter_mut().nth(key).unwrap();
            *place = value;
        });
        if let Ok(image) = image_from_json(document, "document") {
            prop_assert!(image_from_json_str(&image_to_json(&image).unwrap(), "document").is_ok());
        }
    }
}
