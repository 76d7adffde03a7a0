#include "backend/cuda_library.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <dlfcn.h>

#include "core/error.hpp"

namespace koine::backend {
namespace {

constexpr const char* kName = "libkoine_cuda.so";
using GetTable = const cuda::Table* (*)();

/// Where to look, in order.
std::vector<std::string> places() {
  const char* chosen = std::getenv("KOINE_CUDA_LIBRARY");
  if (chosen != nullptr && *chosen != '\0') return {chosen};
  std::vector<std::string> found;
  std::error_code none;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", none);
  for (const auto& folder : {program.parent_path(), program.parent_path().parent_path() / "lib"}) {
    if (std::filesystem::exists(folder / kName, none)) found.push_back((folder / kName).string());
  }
  found.emplace_back(kName);
  return found;
}

void* open_first(const std::vector<std::string>& places) {
  std::string trouble;
  for (const std::string& place : places) {
    if (void* library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    const char* said = ::dlerror();
    if (trouble.empty() && said != nullptr) trouble = said;
  }
  if (places.size() == 1 && places[0] == kName) {
    throw DeviceError(
        "libkoine_cuda.so is not beside this program; build it (cmake --workflow --preset cuda), "
        "or "
        "use --backend cpu");
  }
  throw DeviceError("libkoine_cuda.so cannot be loaded: " + trouble +
                    "; put CUDA's libraries on LD_LIBRARY_PATH, or use --backend cpu");
}

}  // namespace

CudaLibrary CudaLibrary::open() {
  void* library = open_first(places());
  const auto get = reinterpret_cast<GetTable>(::dlsym(library, cuda::kTableSymbol));
  const cuda::Table* table = get == nullptr ? nullptr : get();
  if (table == nullptr || table->version != cuda::kTableVersion) {
    throw DeviceError(
        "libkoine_cuda.so is of another version than this program; build both from one source, or "
        "use --backend cpu");
  }
  return CudaLibrary(table);
}

int CudaLibrary::device_count() const {
  cuda::Failure failure{};
  std::int32_t count = 0;
  const bool has_failed = table_->device_count(&count, &failure) != 0;
  if (!has_failed && count > 0) return count;
  throw DeviceError(std::string("no CUDA device: ") +
                    (has_failed ? failure.text : "none is visible") +
                    "; see what nvidia-smi and CUDA_VISIBLE_DEVICES say, or use --backend cpu");
}

DeviceInfo CudaLibrary::device(int index) const {
  cuda::Failure failure{};
  cuda::DeviceFacts facts{};
  if (table_->device_facts(index, &facts, &failure) != 0) throw DeviceError(failure.text);
  return {index, facts.name, facts.identity, facts.major, facts.minor, facts.memory, facts.free};
}

std::string CudaLibrary::versions() const {
  cuda::Failure failure{};
  std::array<char, 128> text{};
  if (table_->libraries(text.data(), static_cast<std::int32_t>(text.size()), &failure) != 0)
    throw DeviceError(failure.text);
  return text.data();
}

}  // namespace koine::backend
