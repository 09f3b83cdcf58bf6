# What CI runs
check:
    ./test

# Rebuild every generated file
generate:
    cargo xtask generate

# Micro-benches and the end-to-end table
bench:
    cargo bench --workspace
    bench/run
