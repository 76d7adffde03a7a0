#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "checkpoint/formats.hpp"
#include "checkpoint/pickle.hpp"
#include "checkpoint/utf8.hpp"
#include "checkpoint/zip_directory.hpp"
#include "core/error.hpp"
#include "core/file.hpp"

namespace koine::checkpoint {
namespace {

using pickle::Dict;
using pickle::Document;
using pickle::Ref;

constexpr std::string_view kPickleName = "/data.pkl";

/// Torch before 1.6 wrote a bare pickle or a tar; neither is ever parsed.
void refuse_legacy(const File& file) {
  std::string start(static_cast<std::size_t>(std::min<std::int64_t>(file.size(), 265)), '\0');
  file.read_at(std::as_writable_bytes(std::span(start)), 0);
  if (!start.starts_with('\x80') && (start.size() < 262 || start.compare(257, 5, "ustar") != 0))
    return;
  throw InputError(fmt::format(
      "{}: is a torch file of the old kind (not a zip), which is never read; re-save it in Python "
      "if you trust it: torch.save(torch.load('old.pt', map_location='cpu'), 'new.pt')",
      file.path()));
}

/// One archive: its directory and the name that stands before every entry.
struct Archive {
  File file;
  ZipDirectory directory;
  std::string prefix;

  [[noreturn]] void refuse(const std::string& reason) const {
    throw InputError(fmt::format("{}: {}", file.path(), reason));
  }
  [[nodiscard]] std::string content(const ZipEntry& entry, std::int64_t limit) const {
    if (entry.size > limit) {
      refuse(fmt::format("entry '{:.200}' has {} bytes, at most {} expected", entry.name,
                         entry.size, limit));
    }
    std::string bytes(static_cast<std::size_t>(entry.size), '\0');
    file.read_at(std::as_writable_bytes(std::span(bytes)), entry.offset);
    return bytes;
  }
};

Archive open_archive(const std::filesystem::path& path) {
  Archive archive{File::open_read(path), {}, {}};
  refuse_legacy(archive.file);
  archive.directory = read_zip_directory(archive.file);
  const auto& entries = archive.directory.entries;
  const auto is_pickle = [](const ZipEntry& entry) {
    return entry.name.ends_with(kPickleName) &&
           entry.name.find('/') == entry.name.size() - kPickleName.size();
  };
  if (std::count_if(entries.begin(), entries.end(), is_pickle) != 1) {
    archive.refuse("holds no data.pkl, or several; it was not written by torch.save");
  }
  const auto found = std::find_if(entries.begin(), entries.end(), is_pickle);
  archive.prefix = found->name.substr(0, found->name.size() - kPickleName.size() + 1);
  for (const ZipEntry& entry : entries) {
    if (entry.name.starts_with(archive.prefix)) continue;
    archive.refuse(fmt::format("entry '{:.200}' lies outside '{}'", entry.name, archive.prefix));
  }
  if (archive.directory.find(archive.prefix + "constants.pkl") != nullptr) {
    archive.refuse(
        "is a TorchScript program, not a checkpoint; in Python: "
        "torch.save(torch.jit.load('it.pt').state_dict(), 'new.pt')");
  }
  const ZipEntry* order = archive.directory.find(archive.prefix + "byteorder");
  if (order == nullptr) return archive;
  const std::string bytes = archive.content(*order, 16);
  if (bytes != "little") {
    archive.refuse(
        fmt::format("its byte order is {}, expected little; save it again on a "
                    "little-endian machine",
                    bytes == "big" ? "big" : "unknown"));
  }
  return archive;
}

const Ref* find_key(const Document& document, const Dict& dict, std::string_view key) {
  const Ref* found = nullptr;
  for (const auto& [name, value] : dict.items) {
    const auto* text = document.get<std::string>(name);
    if (text != nullptr && *text == key) found = &value;  // the last one counts, as in Python
  }
  return found;
}

const Dict* find_dict(const Document& document, const Dict& dict, std::string_view key) {
  const Ref* ref = find_key(document, dict, key);
  return ref != nullptr ? document.get<Dict>(*ref) : nullptr;
}

constexpr std::array<std::pair<std::string_view, std::int64_t ModelDims::*>, 10> kDims{
    {{"n_mels", &ModelDims::n_mels},
     {"n_vocab", &ModelDims::n_vocab},
     {"n_audio_ctx", &ModelDims::n_audio_ctx},
     {"n_audio_state", &ModelDims::n_audio_state},
     {"n_audio_head", &ModelDims::n_audio_head},
     {"n_audio_layer", &ModelDims::n_audio_layer},
     {"n_text_ctx", &ModelDims::n_text_ctx},
     {"n_text_state", &ModelDims::n_text_state},
     {"n_text_head", &ModelDims::n_text_head},
     {"n_text_layer", &ModelDims::n_text_layer}}};

ModelDims dims_of(const Archive& archive, const Document& document, const Dict& dict) {
  ModelDims dims;
  for (const auto& [name, member] : kDims) {
    const Ref* ref = find_key(document, dict, name);
    const auto* number = ref != nullptr ? document.get<std::int64_t>(*ref) : nullptr;
    if (number == nullptr || *number < 0 || *number > INT32_MAX) {
      archive.refuse(fmt::format("'dims' lacks a usable '{}'", name));
    }
    dims.*member = *number;
  }
  if (dict.items.size() != kDims.size()) {
    archive.refuse(
        fmt::format("'dims' has {} entries, expected {}", dict.items.size(), kDims.size()));
  }
  return dims;
}

bool is_row_major(const Shape& shape, const std::vector<std::int64_t>& strides) {
  std::int64_t expected = 1;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    if (shape[axis] != 1 && strides[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/// Turns the tensors of a state dict into places in the file.
class Collector {
 public:
  Collector(const Archive& archive, const Document& document, Checkpoint& checkpoint)
      : archive_(archive),
        document_(document),
        checkpoint_(checkpoint),
        entries_(document.storages.size(), nullptr) {}

  void add(Ref key, Ref value) {
    const auto* name = document_.get<std::string>(key);
    if (name == nullptr) archive_.refuse("its state dict has a key that is no string");
    const auto* tensor = document_.get<pickle::TensorRef>(value);
    if (tensor == nullptr) return drop(*name, value);
    if (!is_clean_utf8(*name) || name->empty()) {
      archive_.refuse("the name of a tensor is empty, no UTF-8 or holds control characters");
    }
    if (!seen_.insert(*name).second) {
      archive_.refuse(fmt::format("tensor '{:.200}' stands in it twice", *name));
    }
    place(*name, document_.tensors[tensor->index]);
  }

 private:
  void place(const std::string& name, const pickle::Tensor& tensor) {
    TensorInfo info;
    info.name = name;
    info.dtype = tensor.dtype;
    info.shape = tensor.shape;
    info.offset = entry_of(tensor.storage).offset + tensor.offset * size_of(tensor.dtype);
    if (numel(tensor.shape) > 0 && !is_row_major(tensor.shape, tensor.strides)) {
      info.strides = tensor.strides;
    }
    checkpoint_.tensors.push_back(std::move(info));
  }

  const ZipEntry& entry_of(std::size_t storage) {
    if (entries_[storage] != nullptr) return *entries_[storage];
    const pickle::Storage& wanted = document_.storages[storage];
    const ZipEntry* entry = archive_.directory.find(archive_.prefix + "data/" + wanted.key);
    if (entry == nullptr)
      archive_.refuse(
          fmt::format("lacks the storage {}data/{:.200}", archive_.prefix, shown(wanted.key)));
    if (entry->size != wanted.bytes()) {
      archive_.refuse(
          fmt::format("entry '{:.200}' has {} bytes, but its storage of {} elements needs {}",
                      entry->name, entry->size, wanted.numel, wanted.bytes()));
    }
    entries_[storage] = entry;
    return *entry;
  }

  [[nodiscard]] static std::string shown(const std::string& text) {
    return is_clean_utf8(text) ? text : "?";
  }

  /// Attributes and empty extra states do no harm; anything else would be lost silently.
  void drop(const std::string& name, Ref value) const {
    const pickle::Value& what = document_.values[value];
    const auto* dict = std::get_if<Dict>(&what);
    const bool is_empty =
        std::holds_alternative<pickle::None>(what) || (dict != nullptr && dict->items.empty());
    if ((name == "_metadata" && dict != nullptr) || (name.ends_with("_extra_state") && is_empty))
      return;
    archive_.refuse(
        fmt::format("entry '{:.200}' of its state dict is {}, expected a tensor; save "
                    "the state dict alone",
                    shown(name), pickle::kind_of(what)));
  }

  const Archive& archive_;
  const Document& document_;
  Checkpoint& checkpoint_;
  std::vector<const ZipEntry*> entries_;  ///< of each storage, once it has been checked
  std::set<std::string_view> seen_;
};

/// The state dict in the archive's root; fills dims and notes.
const Dict& state_dict_of(const Archive& archive, const Document& document,
                          Checkpoint& checkpoint) {
  const Dict* root = document.get<Dict>(document.root);
  if (root == nullptr) {
    archive.refuse(fmt::format("holds {}, expected a dict of tensors",
                               pickle::kind_of(document.values[document.root])));
  }
  for (const std::string_view key : {"model_state_dict", "state_dict"}) {
    const Dict* state = find_dict(document, *root, key);
    if (state == nullptr) continue;
    const Dict* dims = find_dict(document, *root, "dims");
    if (dims != nullptr) checkpoint.dims = dims_of(archive, document, *dims);
    const std::size_t others = root->items.size() - (dims != nullptr ? 2 : 1);
    if (others > 0) {
      checkpoint.notes.push_back(fmt::format("{}: '{}' is taken, {} other entr{} left out",
                                             checkpoint.path, key, others,
                                             others == 1 ? "y is" : "ies are"));
    }
    return *state;
  }
  return *root;
}

}  // namespace

Checkpoint open_torch(const std::filesystem::path& file) {
  const Archive archive = open_archive(file);
  const ZipEntry& entry = *archive.directory.find(archive.prefix + "data.pkl");
  const Document document = pickle::parse(archive.content(entry, pickle::kLargestPickle),
                                          fmt::format("{}: {}", file.string(), entry.name));
  Checkpoint checkpoint;
  checkpoint.path = file.string();
  checkpoint.format = Format::torch;
  checkpoint.files.push_back({file.string(), archive.file.size()});
  Collector collector(archive, document, checkpoint);
  for (const auto& [key, value] : state_dict_of(archive, document, checkpoint).items) {
    collector.add(key, value);
  }
  if (checkpoint.tensors.empty()) archive.refuse("holds no tensors");
  return checkpoint;
}

}  // namespace koine::checkpoint
