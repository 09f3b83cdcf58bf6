//! TensorFlow's operators, wherever they stand: graphs, functions, TensorFlow Lite.

use std::{
    collections::{BTreeSet, HashSet},
    sync::LazyLock,
};

use bartizan_core::CheckError;

use super::{
    rules::{TF_DANGEROUS, TF_FILES, TF_UNKNOWN},
    shown,
};
use crate::Desk;

/// Every operator that TensorFlow 2 registers; kernels of others come from libraries of their own.
static KNOWN: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| super::words(include_str!("../../data/tensorflow-operators.txt")));

/// Operators that run Python, read or write files by name, or call other machines.
const DANGEROUS: &[&str] = &[
    "PyFunc",
    "PyFuncStateless",
    "EagerPyFunc",
    "ReadFile",
    "WriteFile",
    "MatchingFiles",
    "ReadFileV2",
    "Rpc",
    "TryRpc",
    "RpcCall",
    "RpcClient",
    "RpcServer",
    "DebugIdentityV2",
    "DebugIdentityV3",
    "ImmutableConst",
    "LoadLibrary",
    "ShellOp",
    "FileSystemSetConfiguration",
    "GetEnv",
    "SqlDataset",
    "SaveDatasetV2",
    "SaveDataset",
    "DatasetToTFRecord",
    "ExperimentalDatasetToTFRecord",
    "ExperimentalSqlDataset",
    "GeneratorDataset",
    "DataServiceDataset",
    "DataServiceDatasetV2",
];

/// Operators that open what an input names, as input pipelines do.
const FILES: &[&str] = &[
    "WholeFileReader",
    "WholeFileReaderV2",
    "TextLineReader",
    "TextLineReaderV2",
    "TFRecordReader",
    "TFRecordReaderV2",
    "FixedLengthRecordReader",
    "FixedLengthRecordReaderV2",
    "LMDBReader",
    "TextLineDataset",
    "TFRecordDataset",
    "TFRecordDatasetV2",
    "FixedLengthRecordDataset",
    "FixedLengthRecordDatasetV2",
    "CSVDataset",
    "CSVDatasetV2",
    "ExperimentalCSVDataset",
    "LMDBDataset",
    "ExperimentalLMDBDataset",
    "MatchingFilesDataset",
    "ExperimentalMatchingFilesDataset",
    "LoadDataset",
    "SnapshotDataset",
    "SnapshotDatasetV2",
    "CacheDataset",
    "CacheDatasetV2",
    "CreateSummaryFileWriter",
    "SummaryWriter",
    "SaveSlices",
    "DebugIdentity",
    "BoostedTreesSerializeEnsemble",
    "DumpTensor",
    "LoadTPUEmbeddingADAMParameters",
];

/// Weighs a graph's operators; `own` are functions that the graph brings along.
pub(super) fn operators(
    operators: &BTreeSet<String>,
    own: &BTreeSet<String>,
    desk: &mut Desk<'_>,
) -> Result<(), CheckError> {
    for name in operators {
        let bare = name.rsplit('>').next().unwrap_or_default();
        if DANGEROUS.contains(&bare) {
            desk.report(
                &TF_DANGEROUS,
                None,
                format!("the graph holds `{}`", shown(name)),
            )?;
        } else if FILES.contains(&bare) {
            desk.report(
                &TF_FILES,
                None,
                format!("the graph holds `{}`", shown(name)),
            )?;
        } else if !KNOWN.contains(name.as_str()) && !own.contains(name) {
            desk.report(
                &TF_UNKNOWN,
                None,
                format!("the graph holds `{}`", shown(name)),
            )?;
        }
    }
    Ok(())
}

/// Whether an operator of TensorFlow that TensorFlow Lite borrows is a sound one.
pub(super) fn is_sound(name: &str) -> Option<bool> {
    if DANGEROUS.contains(&name) || FILES.contains(&name) {
        return Some(false);
    }
    KNOWN.contains(name).then_some(true)
}
