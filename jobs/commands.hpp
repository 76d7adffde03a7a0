#pragma once

#include <CLI/CLI.hpp>

#include "core/dtype.hpp"
#include "session.hpp"

/// One function per command, each in a file of its own: adds a subcommand whose callback sets
/// session.command.
namespace koine::jobs {

void add_merge(CLI::App& app, Session& session);
void add_plan(CLI::App& app, Session& session);
void add_synth(CLI::App& app, Session& session);
void add_sweep(CLI::App& app, Session& session);
void add_cache(CLI::App& app, Session& session);
void add_submit(CLI::App& app, Session& session);
void add_status(CLI::App& app, Session& session);
void add_export(CLI::App& app, Session& session);
void add_verify(CLI::App& app, Session& session);
void add_inspect(CLI::App& app, Session& session);
void add_diff(CLI::App& app, Session& session);
void add_bench(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);
void add_man(CLI::App& app, Session& session);

/// Adds a subcommand with its one-line purpose and an example shown first in its help, and the
/// options that every command has: --quiet, -v, --color.
CLI::App* add_command(CLI::App& app, Session& session, const std::string& name,
                      const std::string& purpose, const std::string& example);

/// The value of a --dtype. @throws InputError unless it names a float type
[[nodiscard]] DType dtype_option(const std::string& word);

/// `koine --version`, with --json an environment report.
[[nodiscard]] std::string version_text(bool as_json);

/// "0.1.0".
[[nodiscard]] std::string version();

/// Environment (commit, compiler, libraries) as the manifest and `--version --json` show it.
[[nodiscard]] std::string commit();

}  // namespace koine::jobs
