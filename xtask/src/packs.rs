//! Compiles the built-in rule packs.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan_text::rules::{self, PackError, PackFile, RuleFile, RuleSet};
use miette::{IntoDiagnostic, WrapErr, miette};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of packs
    #[arg(long, default_value = "packs")]
    packs: PathBuf,
    /// Where the compiled packs go
    #[arg(long, default_value = "crates/text/src/rules/builtin.json")]
    out: PathBuf,
    /// Where the examples that `bartizan explain` shows go
    #[arg(long, default_value = "crates/bartizan/src/commands/examples.json")]
    examples: PathBuf,
    /// Where the schema of packs goes
    #[arg(long, default_value = "schemas/rule-pack.schema.json")]
    schema: PathBuf,
    /// Only say whether the compiled packs and the schema are up to date
    #[arg(long)]
    check: bool,
    /// Only test the examples of every rule
    #[arg(long)]
    test: bool,
    /// Also disguise every example and show what is still seen
    #[arg(long, requires = "test")]
    mutations: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> miette::Result<()> {
    let set = load(&args.packs)?;
    if args.test {
        return test(&set, args.mutations);
    }
    let mut schema = rules::schema();
    schema.sort_all_objects();
    let schema = serde_json::to_string_pretty(&schema).into_diagnostic()? + "\n";
    let outputs = [
        (&args.out, set.to_json().into_diagnostic()?),
        (&args.examples, examples(&read(&args.packs)?)?),
        (&args.schema, schema),
    ];
    for (path, content) in &outputs {
        if args.check {
            let current = fs::read_to_string(path).unwrap_or_default();
            if current.replace("\r\n", "\n") != *content {
                return Err(miette!(
                    "`{}` is out of date; run `cargo xtask packs`",
                    path.display()
                ));
            }
        } else {
            write(path, content)?;
        }
    }
    Ok(())
}

/// The first examples of every rule, by its id, as JSON.
fn examples(files: &[PackFile]) -> miette::Result<String> {
    const SHOWN: usize = 3;
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let rules = files
        .iter()
        .filter(|file| !file.name.ends_with("/pack.yaml"));
    for file in rules {
        let file: RuleFile = serde_saphyr::from_str(&file.text)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot read `{}`", file.name))?;
        for rule in file.rules {
            let shown = rule.examples.iter().flat_map(|texts| texts.value.iter());
            let shown = shown.take(SHOWN).map(|text| text.value.trim().to_owned());
            all.insert(rule.id.value, shown.collect());
        }
    }
    Ok(serde_json::to_string_pretty(&all).into_diagnostic()? + "\n")
}

fn write(path: &Path, content: &str) -> miette::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).into_diagnostic()?;
    }
    fs::write(path, content)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write `{}`", path.display()))
}

/// The packs below `folder`, examples not tested.
pub(crate) fn load(folder: &Path) -> miette::Result<Arc<RuleSet>> {
    let files = read(folder)?;
    let set = RuleSet::load(&files).map_err(|errors| report(&errors))?;
    Ok(Arc::new(set))
}

fn report(errors: &[PackError]) -> miette::Report {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    miette!("{} mistakes:\n{}", errors.len(), lines.join("\n"))
}

/// The YAML files of every pack below `folder`, in order of their names.
fn read(folder: &Path) -> miette::Result<Vec<PackFile>> {
    let mut files = Vec::new();
    for pack in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        for path in entries(&pack)? {
            if path
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                let name = path.strip_prefix(folder).into_diagnostic()?;
                files.push(PackFile {
                    name: name.to_string_lossy().replace('\\', "/"),
                    text: fs::read_to_string(&path)
                        .into_diagnostic()
                        .wrap_err_with(|| format!("cannot read `{}`", path.display()))?,
                });
            }
        }
    }
    Ok(files)
}

fn entries(folder: &Path) -> miette::Result<Vec<PathBuf>> {
    let listed = fs::read_dir(folder)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot list `{}`", folder.display()))?;
    let mut paths = listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .into_diagnostic()?;
    paths.sort();
    Ok(paths)
}

fn test(set: &Arc<RuleSet>, mutations: bool) -> miette::Result<()> {
    let tested = rules::test_rules(set).into_diagnostic()?;
    for cross in &tested.cross_hits {
        println!(
            "note: negative example {} of `{}` is hit by {}",
            cross.number,
            cross.rule,
            cross.hit_by.join(", ")
        );
    }
    if mutations {
        for survival in rules::test_survival(set).into_diagnostic()? {
            let (this, any, all) = survival.total();
            let weak: Vec<_> = survival
                .by_mutation
                .iter()
                .filter(|(_, (_, any, all))| any < all)
                .map(|(name, (_, any, all))| format!("{name} {any}/{all}"))
                .collect();
            println!(
                "{}: {this}/{all} itself, {any}/{all} any rule; {}",
                survival.rule,
                weak.join(", ")
            );
        }
    }
    println!("{} rules, {} examples", tested.rules, tested.examples);
    if tested.failures.is_empty() {
        Ok(())
    } else {
        Err(report(&tested.failures))
    }
}
