#include <memory>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "commands.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "store/factor_cache.hpp"

namespace koine::jobs {
namespace {

struct Options {
  std::string folder, prune, limit;
  bool as_json = false;
};

std::int64_t bytes_of(const std::string& option, const std::string& text) {
  const auto bytes = parse_bytes(text);
  if (!bytes || *bytes < 0)
    throw InputError(fmt::format("{} {}: expected a size such as 20GB, or 0", option, text));
  return *bytes;
}

std::string day(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::localtime(static_cast<std::time_t>(seconds)));
}

Json json_of(const std::string& folder, const store::CacheUse& use,
             const store::CacheUse& removed) {
  return {{"schema", "koine-cache-1"},     {"path", folder},
          {"entries", use.entries},        {"bytes", use.bytes},
          {"limit_bytes", use.limit},      {"oldest_use", use.oldest},
          {"newest_use", use.newest},      {"removed_entries", removed.entries},
          {"removed_bytes", removed.bytes}};
}

void show(const Session& session, const store::CacheUse& use) {
  session.say(fmt::format("{} factorisations, {}{}", human_count(use.entries),
                          human_bytes(use.bytes),
                          use.limit > 0 ? fmt::format(" of at most {}", human_bytes(use.limit))
                                        : std::string(", no limit")));
  if (use.entries > 0)
    session.say(fmt::format("last used between {} and {}", day(use.oldest), day(use.newest)));
}

ExitCode run_cache(Session& session, const Options& options) {
  if (options.folder.empty())
    throw InputError("no cache named: pass its folder, or set KOINE_CACHE");
  store::CacheUse removed;
  if (!options.limit.empty())
    store::limit_cache(options.folder, bytes_of("--limit", options.limit));
  if (!options.prune.empty()) {
    removed = store::prune_cache(options.folder, bytes_of("--prune", options.prune));
    session.say(fmt::format("removed {} factorisations, {}", human_count(removed.entries),
                            human_bytes(removed.bytes)));
  }
  const store::CacheUse use = store::use_of_cache(options.folder);
  show(session, use);
  session.result(options.as_json ? json_of(options.folder, use, removed).dump() : options.folder);
  return ExitCode::done;
}

}  // namespace

void add_cache(CLI::App& app, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      add_command(app, session, "cache", "Shows what a factor cache holds, and makes room in it",
                  "koine cache ~/koine-cache --prune 20GB");
  command->add_option("DIR", options->folder, "The cache (default: $KOINE_CACHE)")
      ->envname("KOINE_CACHE");
  command
      ->add_option("--prune", options->prune,
                   "Remove what was not used for longest until so much is left")
      ->option_text("SIZE");
  command
      ->add_option("--limit", options->limit,
                   "Every merge that uses the cache prunes it to so much (0: no limit)")
      ->option_text("SIZE");
  command->add_flag("--json", options->as_json, "As JSON");
  command->callback([&session, options] {
    session.command = [&session, options] { return run_cache(session, *options); };
  });
}

}  // namespace koine::jobs
