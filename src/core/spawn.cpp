#include "core/spawn.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

namespace koine {
namespace {

constexpr const char* kMark = "KOINE_SET_";  // and a name: set by us

void check(int code) {
  if (code != 0) throw std::system_error(code, std::generic_category());
}

/// Working folder and descriptors of one spawn.
class FileActions {
 public:
  FileActions() { check(::posix_spawn_file_actions_init(&actions_)); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void redirect(int target, int source) {
    if (source >= 0)
      check(::posix_spawn_file_actions_adddup2(&actions_, source, target));
    else
      check(::posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", O_RDWR, 0));
  }
  /// Libraries open some that would live on in the child, locks among them.
  void close_the_rest() {
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
    check(::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1));
#endif
#endif
  }
  void enter(const std::filesystem::path& folder) {
    check(::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()));
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// A process group of its own, signals as a program expects them (ours ignores SIGPIPE).
class Attributes {
 public:
  Attributes() {
    check(::posix_spawnattr_init(&attributes_));
    sigset_t none, usual;
    ::sigemptyset(&none);
    ::sigemptyset(&usual);
    ::sigaddset(&usual, SIGPIPE);
    ::sigaddset(&usual, SIGCHLD);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &usual);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// The C form of a list of texts, which it borrows.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

pid_t spawn(const Program& program) {
  FileActions actions;
  actions.enter(program.folder);
  actions.redirect(STDIN_FILENO, program.input);
  actions.redirect(STDOUT_FILENO, program.output);
  actions.redirect(STDERR_FILENO, program.errors);
  actions.close_the_rest();
  const Attributes attributes;
  const std::vector<char*> arguments = pointers_to(program.arguments);
  const std::vector<char*> environment = pointers_to(program.environment);
  pid_t process = 0;
  check(::posix_spawn(&process, arguments[0], actions.get(), attributes.get(), arguments.data(),
                      environment.data()));
  return process;
}

bool set_for_this_program(const char* name, const char* value) {
  return std::getenv(name) == nullptr && ::setenv(name, value, 0) == 0 &&
         ::setenv((std::string(kMark) + name).c_str(), "1", 1) == 0;
}

std::vector<std::string> environment_of_children() {
  // Open MPI 4 (settings of its user, OMPI_MCA_*, stay), PRRTE and Open MPI 5, MPICH and its kin.
  constexpr std::array<std::string_view, 15> kLaunchers{"OMPI_COMM_",
                                                        "OMPI_MCA_orte_",
                                                        "OMPI_MCA_ess",
                                                        "OMPI_MCA_initial_wdir",
                                                        "OMPI_UNIVERSE_SIZE",
                                                        "OMPI_FIRST_RANKS",
                                                        "OMPI_FILE_LOCATION",
                                                        "OMPI_APP_CTX_",
                                                        "OMPI_NUM_APP_CTX",
                                                        "PMIX_",
                                                        "PMI_",
                                                        "PRTE_",
                                                        "HYDI_",
                                                        "MPI_LOCALRANKID",
                                                        "MPI_LOCALNRANKS"};
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool is_ours =
        text.starts_with(kMark) ||
        std::getenv((kMark + std::string(text.substr(0, text.find('=')))).c_str()) != nullptr ||
        std::any_of(kLaunchers.begin(), kLaunchers.end(),
                    [text](std::string_view prefix) { return text.starts_with(prefix); });
    if (!is_ours) kept.emplace_back(text);
  }
  return kept;
}

}  // namespace koine
