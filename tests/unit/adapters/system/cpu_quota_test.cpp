// CPU quotas of control groups, in folders that look like /proc and /sys of machines and containers.
#include "adapters/system/cpu_quota.hpp"
#include "support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace troupe_internal;

namespace {

struct fake_machine {
  temporary_folder root;

  void own_groups(const std::string& lines) const { root.write("proc/self/cgroup", lines); }
  void mounts(const std::string& lines) const {
    root.write("proc/self/mountinfo", "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n" + lines);
  }
  void v1(const std::string& folder, const std::string& quota, const std::string& period = "100000") const {
    root.write(folder + "/cpu.cfs_quota_us", quota + "\n");
    root.write(folder + "/cpu.cfs_period_us", period + "\n");
  }
  void v2(const std::string& folder, const std::string& max) const { root.write(folder + "/cpu.max", max + "\n"); }
  [[nodiscard]] std::optional<unsigned> quota() const { return cpu_quota(root.path()); }
};

const std::string v2_mount = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string v1_mounts = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
                              "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
                              "33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n";

} // namespace

TEST_CASE_FIXTURE(fake_machine, "without cgroups, without a quota, or where nothing can be read there is no limit") {
  CHECK(quota() == std::nullopt);
  own_groups("0::/a\n");
  CHECK(quota() == std::nullopt);
  mounts(v2_mount);
  CHECK(quota() == std::nullopt);
  v2("sys/fs/cgroup/a", "max 100000");
  CHECK(quota() == std::nullopt);
  for (const auto* damaged : {"", "100000", "x 100000", "100000 0", "-1 100000", "100000 100000 7", "0 100000"}) {
    v2("sys/fs/cgroup/a", damaged);
    CHECK(quota() == std::nullopt);
  }
}

TEST_CASE_FIXTURE(fake_machine, "cgroup v2: parts of a CPU are rounded up") {
  own_groups("0::/a\n");
  mounts(v2_mount);
  const auto with = [&](const std::string& max) {
    v2("sys/fs/cgroup/a", max);
    return quota();
  };
  CHECK(with("100000 100000") == 1U);
  CHECK(with("100001 100000") == 2U);
  CHECK(with("250000 100000") == 3U);
  CHECK(with("10000 100000") == 1U);
  CHECK(with("400000 50000") == 8U);
  CHECK(with("9223372036854775807 1") == 2147483647U);
}

TEST_CASE_FIXTURE(fake_machine, "cgroup v2: the smallest quota on the way up counts, and none beside it") {
  own_groups("0::/system.slice/job.service/inner\n");
  mounts(v2_mount);
  v2("sys/fs/cgroup/system.slice/job.service/inner", "800000 100000");
  CHECK(quota() == 8U);
  v2("sys/fs/cgroup/system.slice/job.service", "300000 100000");
  CHECK(quota() == 3U);
  v2("sys/fs/cgroup/system.slice", "max 100000");
  CHECK(quota() == 3U);
  v2("sys/fs/cgroup/system.slice/another.service", "100000 100000");
  CHECK(quota() == 3U);
  v2("sys/fs/cgroup/system.slice", "200000 100000");
  CHECK(quota() == 2U);
}

TEST_CASE_FIXTURE(fake_machine, "cgroup v1: the hierarchy with the CPU controller counts, from the group up") {
  own_groups("12:memory:/m\n5:cpu,cpuacct:/docker/abc\n4:cpuset:/c\n1:name=systemd:/docker/abc\n");
  mounts(v1_mounts);
  v1("sys/fs/cgroup/cpu,cpuacct/docker/abc", "-1");
  v1("sys/fs/cgroup/cpuset/c", "100000");
  CHECK(quota() == std::nullopt);
  v1("sys/fs/cgroup/cpu,cpuacct/docker/abc", "150000");
  CHECK(quota() == 2U);
  v1("sys/fs/cgroup/cpu,cpuacct/docker", "50000", "50000");
  CHECK(quota() == 1U);
}

TEST_CASE_FIXTURE(fake_machine, "a container that sees its own group alone: the mount begins at that group") {
  own_groups("3:cpu:/docker/abc\n0::/\n");
  mounts("40 31 0:29 /docker/abc /sys/fs/cgroup/cpu ro,nosuid - cgroup cgroup rw,cpu\n");
  v1("sys/fs/cgroup/cpu", "200000");
  CHECK(quota() == 2U);
  own_groups("3:cpu:/docker/abc/sub\n");
  v1("sys/fs/cgroup/cpu/sub", "100000");
  CHECK(quota() == 1U);
  own_groups(
      "3:cpu:/docker/abcdef/sub\n"); // another group's name that begins alike: the mount's own group is what is left
  CHECK(quota() == 2U);
}

TEST_CASE_FIXTURE(fake_machine, "a namespace that hides where the group is: the mount's own group counts") {
  own_groups("0::/../../outside\n");
  mounts(v2_mount);
  v2("sys/fs/cgroup", "100000 100000");
  CHECK(quota() == 1U);
}

TEST_CASE_FIXTURE(fake_machine, "hybrid hierarchies: the smaller of both") {
  own_groups("5:cpu:/a\n0::/b\n");
  mounts("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
         "33 31 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  v1("sys/fs/cgroup/cpu/a", "400000");
  v2("sys/fs/cgroup/unified/b", "300000 100000");
  CHECK(quota() == 3U);
}

TEST_CASE_FIXTURE(fake_machine, "colons in a group's name and blanks in a mount point mean nothing") {
  own_groups("0::/a:b\n");
  mounts("31 23 0:28 / /my\\040cgroups rw - cgroup2 cgroup2 rw\n");
  v2("my cgroups/a:b", "100000 100000");
  CHECK(quota() == 1U);
}

TEST_CASE_FIXTURE(fake_machine, "lines that are damaged are passed over") {
  own_groups("\n7\n7:cpu\n0::/a\n");
  mounts("\n31\n31 23 - cgroup2\n31 23 0:28 / /x rw -\n" + v2_mount);
  v2("sys/fs/cgroup/a", "100000 100000");
  CHECK(quota() == 1U);
}
