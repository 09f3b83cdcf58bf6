//! Every inspector, in the order in which they are asked.

use bartizan_core::Rule;

use crate::{
    Inspector,
    archive::{Packed, SevenZips, Tars, Zips},
    models::{
        CoreMlFile, GgufFile, Hdf5File, JsonFile, MsgPackFile, NativeFile, OnnxFile, OpaqueFile,
        PlainFile, RFile, SafetensorsFile, TensorFlowFile, TfLiteFile, UbjsonFile, XmlFile,
    },
    npy::Arrays,
    pickle::Pickles,
    polyglot::Polyglots,
};

/// Every inspector, in the order in which they are asked.
pub const INSPECTORS: &[&dyn Inspector] = &[
    &Polyglots,
    &Pickles,
    &Arrays,
    &Zips,
    &Tars,
    &SevenZips,
    &Packed,
    &JsonFile,
    &PlainFile,
    &XmlFile,
    &Hdf5File,
    &OnnxFile,
    &TensorFlowFile,
    &TfLiteFile,
    &GgufFile,
    &SafetensorsFile,
    &CoreMlFile,
    &RFile,
    &MsgPackFile,
    &UbjsonFile,
    &NativeFile,
    &OpaqueFile,
];

/// The inspectors that report nothing but the tricks of archives, and hand on what is inside.
pub const ARCHIVES: &[&dyn Inspector] = &[&Zips, &Tars, &SevenZips, &Packed];

/// Every rule that a scan may report under, in order of the inspectors.
#[must_use]
pub fn rules() -> Vec<&'static Rule> {
    let mut rules: Vec<&'static Rule> = INSPECTORS
        .iter()
        .flat_map(|inspector| inspector.rules())
        .copied()
        .collect();
    let mut seen = std::collections::HashSet::new();
    rules.retain(|rule| seen.insert(rule.id.clone()));
    rules
}
