//! The stores of a configuration, opened.

use std::{path::Path, rc::Rc, sync::Arc};

use bartizan_gateway::{
    clock::SystemClock,
    content::{ContentError, SealedContent},
    record::KeepContent,
    secrets::ProcessEnvironment,
    start::AtRest,
    store::PersonalTable,
};
use bartizan_govern::{Holds, StoreEntry, StoreFault, Subject, SubjectStore};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{failed, files::Files};
use crate::{
    commands::{runtime, serve},
    config::{Config, beside},
    problem::{Problem, Problems},
};

/// Every store that the configuration names.
pub(crate) struct Stores {
    /// As configured, in order.
    pub(crate) entries: Vec<StoreEntry>,
    /// The same, opened.
    pub(crate) open: Vec<Box<dyn SubjectStore>>,
}

impl Stores {
    pub(crate) fn open(config: &Config, data: &Path) -> Result<Self, Problems> {
        let mut entries = config.file.govern.stores.clone();
        let content = &config.file.record.content;
        let own = (content.keep == KeepContent::Sealed).then(|| StoreEntry {
            name: SEALED.to_owned(),
            class: content.class.clone(),
            ..StoreEntry::default()
        });
        if entries.is_empty() && own.is_none() {
            let problem = Problem::new("no store of personal data is configured");
            let help = "list files and tables under `govern.stores`";
            return Err(problem.help(help).into());
        }
        let runtime = Rc::new(runtime()?);
        let beside = |name: &str| beside(Path::new(&config.path), Path::new(name));
        let open = entries.iter().map(|entry| {
            if let Some(files) = &entry.files {
                let paths = files.paths.iter().map(|path| beside(path)).collect();
                return Ok(Box::new(Files::new(entry, files, paths)) as Box<dyn SubjectStore>);
            }
            let sql = entry.sql.as_ref().ok_or_else(|| {
                Problem::new(format!(
                    "store `{}` is neither `files` nor `sql`",
                    entry.name
                ))
            })?;
            let place = match sql.place.strip_prefix("env:") {
                Some(name) => address(name)?,
                None => beside(&sql.place).display().to_string(),
            };
            let table = runtime.block_on(PersonalTable::open(sql, &place));
            Ok(Box::new(Table {
                name: entry.name.clone(),
                class: entry.class.clone(),
                table: table.map_err(|fault| failed(&entry.name, &fault))?,
                runtime: Rc::clone(&runtime),
            }) as Box<dyn SubjectStore>)
        });
        let mut open = open.collect::<Result<Vec<_>, Problem>>()?;
        if let Some(own) = own {
            let clock = Arc::new(SystemClock);
            let rest = AtRest::open(&config.file, data, &ProcessEnvironment, clock);
            let rest = runtime.block_on(rest);
            let rest = rest.map_err(|error| serve::problems(config, &error))?;
            open.push(Box::new(Sealed {
                class: own.class.clone(),
                content: rest.sealed_content(),
                runtime: Rc::clone(&runtime),
            }));
            entries.push(own);
        }
        Ok(Self { entries, open })
    }
}

/// What the store of the gateway's own contents is called.
const SEALED: &str = "sealed-content";

fn address(name: &str) -> Result<String, Problem> {
    let value = crate::env::get(name).and_then(|value| value.into_string().ok());
    value.ok_or_else(|| Problem::new(format!("the variable `{name}` is not set")))
}

/// A table, asked without a runtime of one's own.
struct Table {
    name: String,
    class: String,
    table: PersonalTable,
    runtime: Rc<Runtime>,
}

impl SubjectStore for Table {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "sql"
    }

    fn class(&self) -> &str {
        &self.class
    }

    fn count(&mut self, subject: &Subject) -> Result<u64, StoreFault> {
        self.runtime.block_on(self.table.count(subject))
    }

    fn erase(&mut self, subject: &Subject) -> Result<u64, StoreFault> {
        self.runtime.block_on(self.table.erase(subject))
    }

    fn export(&mut self, subject: &Subject) -> Result<Vec<Value>, StoreFault> {
        self.runtime.block_on(self.table.export(subject))
    }

    fn count_old(&mut self, before_ms: i64, holds: &Holds) -> Result<(u64, u64), StoreFault> {
        self.runtime
            .block_on(self.table.count_old(before_ms, holds))
    }

    fn remove_old(&mut self, before_ms: i64, holds: &Holds) -> Result<u64, StoreFault> {
        self.runtime
            .block_on(self.table.remove_old(before_ms, holds))
    }
}

/// The contents that the gateway keeps sealed.
struct Sealed {
    class: String,
    content: SealedContent,
    runtime: Rc<Runtime>,
}

impl Sealed {
    fn run<T>(
        &self,
        work: impl AsyncFnOnce(&SealedContent) -> Result<T, ContentError>,
    ) -> Result<T, StoreFault> {
        let done = self.runtime.block_on(work(&self.content));
        done.map_err(|error| StoreFault::Io {
            place: SEALED.to_owned(),
            why: error.to_string(),
        })
    }
}

impl SubjectStore for Sealed {
    fn name(&self) -> &str {
        SEALED
    }

    fn kind(&self) -> &'static str {
        "sealed"
    }

    fn class(&self) -> &str {
        &self.class
    }

    fn count(&mut self, subject: &Subject) -> Result<u64, StoreFault> {
        self.run(async |content| content.count(subject.hash()).await)
    }

    fn erase(&mut self, subject: &Subject) -> Result<u64, StoreFault> {
        self.run(async |content| content.erase(subject.hash()).await)
    }

    fn export(&mut self, subject: &Subject) -> Result<Vec<Value>, StoreFault> {
        self.run(async |content| content.export(subject.hash()).await)
    }

    fn count_old(&mut self, before_ms: i64, holds: &Holds) -> Result<(u64, u64), StoreFault> {
        self.run(async |content| content.count_old(before_ms, holds).await)
    }

    fn remove_old(&mut self, before_ms: i64, holds: &Holds) -> Result<u64, StoreFault> {
        self.run(async |content| content.remove_old(before_ms, holds).await)
    }
}
