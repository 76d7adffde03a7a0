#include "core/process_table.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace koine {
namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

/// Group and state of the process with this folder; group 0 where it has just gone.
struct Entry {
  pid_t group = 0;
  char state = 'Z';
};
Entry entry_of(const std::filesystem::path& folder) {
  std::ifstream file(folder / "stat");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto name_end = text.rfind(')');  // a name may hold anything
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  Entry entry;
  pid_t parent = 0;
  fields >> entry.state >> parent >> entry.group;
  return entry;
}

}  // namespace

bool is_group_alive(pid_t group) {
  if (::kill(-group, 0) != 0) return false;
  std::error_code code;
  bool is_shown = false;
  for (std::filesystem::directory_iterator at("/proc", code), end; !code && at != end;
       at.increment(code)) {
    if (!is_number(at->path().filename().string())) continue;
    const Entry entry = entry_of(at->path());
    if (entry.group != group) continue;
    if (entry.state != 'Z' && entry.state != 'X') return true;
    is_shown = true;
  }
  return !is_shown;
}

}  // namespace koine
