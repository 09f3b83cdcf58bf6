//! The rules of model formats, as one table.

use std::borrow::Cow;

use bartizan_core::{Category, Rule, Severity};

macro_rules! rules {
    ($($name:ident = $id:literal, $severity:ident, $category:ident, [$($reference:literal),*], $title:literal, $why:literal, $fix:literal;)*) => {
        $(pub(super) static $name: Rule = Rule::new(
            $id,
            $title,
            Severity::$severity,
            Category::$category,
            &[$(Cow::Borrowed($reference)),*],
            [$why, $fix],
            None,
        );)*
    };
}

rules! {
    BROKEN = "model.broken-structure", Medium, Integrity, ["CWE-20", "CWE-130"],
        "a file that breaks the rules of its own format",
        "Readers differ in what they make of it, and broken lengths and offsets are how parsers are attacked.",
        "Ask for a sound copy, or write the file again with the format's own library.";
    LAMBDA = "keras.lambda", Critical, CodeExecution, ["CWE-502", "CVE-2024-3660"],
        "a Keras layer that is Python code",
        "Loading the model builds a function from the bytes in it, and running the model runs that code.",
        "Rebuild the model without Lambda layers and save it again.";
    KERAS_FOREIGN = "keras.foreign-class", Critical, CodeExecution, ["CWE-502", "CVE-2025-1550", "CVE-2025-8747"],
        "a Keras configuration that names something which is no part of a model",
        "Keras imports the module and calls what is named, with arguments from the file.",
        "Do not load it; ask where the configuration comes from.";
    KERAS_CUSTOM = "keras.custom-object", Medium, CodeExecution, ["CWE-829"],
        "a Keras object that Keras does not know",
        "Its code comes from elsewhere and runs when the model is loaded.",
        "Review the code that provides the object.";
    KERAS_OUTSIDE = "keras.outside-file", High, CodeExecution, ["CWE-73", "CVE-2025-12058"],
        "a Keras layer that reads another file or address",
        "Loading the model reads what the path names, from this machine or from the network.",
        "Keep the vocabulary or model in the file itself.";
    HDF5_OUTSIDE = "hdf5.outside-file", High, Integrity, ["CWE-73", "CWE-610"],
        "HDF5 data that are taken from another file",
        "Whoever reads the data reads the file that is named, whatever it holds.",
        "Copy the data into one file.";
    HDF5_PLUGIN = "hdf5.plugin-filter", Low, Integrity, ["CWE-829"],
        "HDF5 data that need a plug-in to be read",
        "The library loads native code that is found under the filter's number.",
        "Write the data again with a filter of HDF5's own.";
    ONNX_PATH = "onnx.outside-file", High, Integrity, ["CWE-22", "CVE-2022-25882", "CVE-2024-27318"],
        "ONNX tensors that are read from outside the model's folder",
        "Loading the model reads the file that the path names.",
        "Save the model again with its data beside it.";
    ONNX_PYTHON = "onnx.python-operator", Critical, CodeExecution, ["CWE-94"],
        "an ONNX operator that runs Python",
        "The runtime calls back into Python when the model runs.",
        "Use operators of the standard.";
    ONNX_FOREIGN = "onnx.foreign-operator", Medium, CodeExecution, ["CWE-829"],
        "an ONNX operator that no standard defines",
        "It needs a native library that is loaded beside the model.",
        "Review the library that provides the operator.";
    TF_DANGEROUS = "tensorflow.dangerous-operator", High, CodeExecution, ["CWE-94", "CWE-73"],
        "a TensorFlow operator that runs Python or reads and writes files",
        "Running the graph runs it with the rights of the process.",
        "Export the model again without the operator.";
    TF_FILES = "tensorflow.file-operator", Medium, CodeExecution, ["CWE-73"],
        "a TensorFlow operator that opens files or connections for data",
        "Running the graph opens what its inputs name.",
        "Keep input pipelines out of models.";
    TF_UNKNOWN = "tensorflow.unknown-operator", Medium, CodeExecution, ["CWE-829"],
        "a TensorFlow operator that TensorFlow does not have",
        "It needs a native library that is loaded beside the model.",
        "Review the library that provides the operator.";
    TF_ASSET = "tensorflow.asset-path", High, Integrity, ["CWE-22"],
        "a TensorFlow asset outside the model's folder",
        "Loading the model opens the file that the path names.",
        "Export the model again.";
    TFLITE_CUSTOM = "tflite.custom-operator", Medium, CodeExecution, ["CWE-829"],
        "a TensorFlow Lite operator that is not built in",
        "It needs native code that is linked beside the runtime.",
        "Review the code that provides the operator.";
    TEMPLATE_ESCAPE = "template.escape", Critical, CodeExecution, ["CWE-1336", "CVE-2024-34359"],
        "a chat template that reaches for Python's own objects",
        "Whoever renders the template outside a sandbox runs what it finds.",
        "Replace the template with the one of the model's author.";
    TEMPLATE_ODD = "template.unusual", Medium, CodeExecution, ["CWE-1336"],
        "a chat template that uses what chat templates do not need",
        "It is how templates leave their sandbox or never end.",
        "Read the template before it is used.";
    TEMPLATE_HIDDEN = "template.hidden-instruction", Medium, Integrity, ["LLM01:2025", "AML.T0051"],
        "a chat template that slips instructions into conversations",
        "The model obeys text that neither the user nor the operator wrote.",
        "Replace the template with the one of the model's author.";
    TOKENIZER_TEXT = "tokenizer.inserted-text", Medium, Integrity, ["LLM01:2025"],
        "a tokenizer that puts words of its own into the text",
        "The model or its reader sees text that nobody wrote.",
        "Compare the tokenizer with the one of the model's author.";
    REMOTE_CODE = "config.remote-code", Medium, CodeExecution, ["CWE-829", "CWE-94"],
        "a configuration that has code beside the model loaded",
        "`trust_remote_code` and its like import Python files of the repository.",
        "Pin and review the code, or use a class of the library.";
    REMOTE_ELSEWHERE = "config.foreign-code", High, CodeExecution, ["CWE-829", "CWE-494"],
        "a configuration that has code of another repository, or a dangerous name, loaded",
        "What runs is whatever the other place holds on that day.",
        "Copy the reviewed code beside the model and pin it.";
    CONFIG_LOADER = "config.unknown-loader", Medium, CodeExecution, ["CWE-829"],
        "a configuration that names a loader which is not known",
        "The module that is named is imported when the model is loaded.",
        "Review the module that is named.";
    CONFIG_TARGET = "config.dangerous-target", High, CodeExecution, ["CWE-502", "CVE-2025-23304"],
        "a configuration that has a dangerous function called",
        "Hydra and its like import the dotted name and call it with arguments of the file.",
        "Do not load it.";
    CONFIG_PATH = "config.outside-path", High, Integrity, ["CWE-22"],
        "a configuration whose path leads out of the model's folder",
        "Loading reads or writes the file that the path names.",
        "Use a path below the model's folder.";
    YAML_TAG = "yaml.python-tag", High, CodeExecution, ["CWE-502"],
        "a YAML tag that builds Python objects",
        "`yaml.load` with an unsafe loader calls what the tag names.",
        "Remove the tag, and load with `yaml.safe_load`.";
    SKOPS_DANGEROUS = "skops.dangerous-type", Critical, CodeExecution, ["CWE-502", "CVE-2025-54412", "CVE-2025-54413"],
        "a skops file that names a dangerous type",
        "Loading it with that type trusted calls it.",
        "Do not load it.";
    SKOPS_UNKNOWN = "skops.unknown-type", Medium, CodeExecution, ["CWE-502"],
        "a skops file that names a type which is not known",
        "Loading asks for the type to be trusted, and then builds it.",
        "Review the type before it is trusted.";
    CODE_RISK = "code.risky-call", Medium, CodeExecution, ["CWE-78", "CWE-95", "CWE-502"],
        "Python beside a model that runs commands, text, or pickles",
        "The code runs with the rights of whoever imports it.",
        "Review it before it is imported.";
    CODE_NOTE = "code.loader-call", Low, CodeExecution, ["CWE-502"],
        "Python beside a model that loads files in a way that can run code",
        "The file that it loads decides what runs.",
        "Load weights only, and from files that were scanned.";
    CODE_ATTACK = "code.attack", Critical, CodeExecution, ["CWE-506", "AML.T0011"],
        "Python that looks like an attack",
        "It hides what it runs, opens a shell to another machine, or sends secrets away.",
        "Do not import it.";
    NOTEBOOK_SCRIPT = "notebook.active-output", High, CodeExecution, ["CWE-79"],
        "a notebook whose output is a script",
        "Opening the notebook as trusted runs the script with the rights of the reader's session.",
        "Clear the outputs.";
    NOTEBOOK_HTML = "notebook.html-output", Low, CodeExecution, ["CWE-79"],
        "a notebook with a script of a plotting library in its output",
        "Scripts in outputs run when the notebook is trusted.",
        "Clear the outputs before they are shared.";
    STARTUP = "python.startup-hook", High, CodeExecution, ["CWE-506", "T1546.018"],
        "a file that Python runs at every start",
        "`.pth` lines with `import`, `sitecustomize`, and `usercustomize` run without being asked for.",
        "Remove the file.";
    REQUIREMENT = "python.direct-requirement", Medium, Integrity, ["CWE-494", "CWE-829"],
        "a requirement that does not come from the package index",
        "Installing it runs code from an address that may change.",
        "Require a released version, with hashes.";
    NATIVE = "native.code", Medium, CodeExecution, ["CWE-829"],
        "native code beside or inside a model",
        "Custom operators and plug-ins are loaded into the process and can do anything.",
        "Build the library from its source.";
    COREML_CUSTOM = "coreml.custom-code", Medium, CodeExecution, ["CWE-829"],
        "a Core ML model that needs code of the application",
        "A class is looked up by its name and called when the model runs.",
        "Review the class that is named.";
    COREML_LINKED = "coreml.linked-model", Medium, Integrity, ["CWE-73"],
        "a Core ML model that is made of another file",
        "What runs is the file that is named.",
        "Put the models into one file.";
    XML_ENTITY = "xml.entity", High, Integrity, ["CWE-611", "CWE-776"],
        "an XML file that declares entities",
        "Readers that expand them read other files or fill the memory.",
        "Remove the document type.";
    XML_OPERATOR = "xml.foreign-layer", Medium, CodeExecution, ["CWE-829"],
        "a layer of an XML model that is of a set of its own",
        "It needs a native extension that is loaded beside the model.",
        "Review the extension that provides the layer.";
    XML_LIBRARY = "xml.library", High, CodeExecution, ["CWE-829"],
        "an XML model that has a library loaded",
        "The library is loaded into the process.",
        "Remove the reference.";
    R_PROMISE = "r.promise", Critical, CodeExecution, ["CWE-502", "CVE-2024-27322"],
        "an R file with code that runs when its value is looked at",
        "Reading a promise runs the expression in it.",
        "Do not load it; update R to 4.4 or later.";
    R_CODE = "r.code", Medium, CodeExecution, ["CWE-502"],
        "an R file with functions",
        "They run when the model is used.",
        "Review the functions, or save the model in another form.";
    MSGPACK_PICKLE = "msgpack.pickle", Critical, CodeExecution, ["CWE-502"],
        "MessagePack data that hold a pickle",
        "A reader that decodes the extension loads the pickle.",
        "Do not load it.";
    MSGPACK_EXTENSION = "msgpack.unknown-extension", Medium, Integrity, ["CWE-502"],
        "MessagePack data of a kind that parameters do not have",
        "What the reader makes of them is up to its own code.",
        "Save the parameters again with the library.";
    OPAQUE = "model.opaque", Medium, CodeExecution, ["CWE-829"],
        "a compiled model that cannot be looked into",
        "It holds machine code, or a program that only its runtime reads.",
        "Build it again from a model that can be looked into.";
    SECRET = "config.secret", Medium, Integrity, ["CWE-798", "CWE-312"],
        "a key or password in a model's configuration",
        "Everybody who has the model has the key.",
        "Revoke the key and remove it.";
}
