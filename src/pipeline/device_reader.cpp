#include "pipeline/device_reader.hpp"

#include <utility>

namespace koine::pipeline {

DeviceReader::DeviceReader(backend::DeviceLane& lane, std::vector<Load> loads)
    : lane_(lane), loads_(std::move(loads)) {
  for (int buffer = 0; buffer < backend::DeviceLane::kIntakes; ++buffer) free_.put(buffer);
  thread_ = std::jthread([this] { run(); });
}

DeviceReader::~DeviceReader() {
  free_.close();
}

int DeviceReader::next() {
  int buffer = 0;
  (void)sent_.take(buffer);  // never closed but by a failure
  return buffer;
}

void DeviceReader::run() {
  try {
    for (const Load& load : loads_) {
      int buffer = 0;
      if (!free_.take(buffer)) return;
      load.read(lane_.intake(buffer, load.bytes));
      lane_.send(buffer, load.bytes);
      sent_.put(buffer);
    }
  } catch (...) {
    sent_.close(std::current_exception());
  }
}

}  // namespace koine::pipeline
