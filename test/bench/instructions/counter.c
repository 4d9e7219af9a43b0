/*
 * Plugin of QEMU's translator that counts the instructions a program executes. Built against version 1 of the plugin API
 * (docs/devel/tcg-plugins of QEMU 4.2 to 8.2); Debian ships no header for it, so the five functions used are declared here.
 *
 * Argument: out=<file>, which gets the number when the program ends. One thread is expected: the sum is not locked.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct block; /* instructions translated together, run from the first to the last */
enum inline_operation { ADD_U64 = 0 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*translated)(plugin_id id, struct block* block));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct block* block, enum inline_operation operation, void* number, uint64_t operand);
extern void qemu_plugin_register_atexit_cb(plugin_id id, void (*ended)(plugin_id id, void* user), void* user);
extern size_t qemu_plugin_tb_n_insns(const struct block* block);

/* What QEMU looks for in a plugin. */
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const void* info, int argc, char** argv);

static uint64_t executed = 0;
static char path[4096];

static void translated(plugin_id id, struct block* block) {
  (void)id;
  qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &executed, qemu_plugin_tb_n_insns(block));
}

static void ended(plugin_id id, void* user) {
  (void)id;
  (void)user;
  FILE* file = fopen(path, "w");
  if (file == NULL) return; /* the reader misses the file */
  fprintf(file, "%" PRIu64 "\n", executed);
  fclose(file);
}

int qemu_plugin_install(plugin_id id, const void* info, int argc, char** argv) {
  (void)info;
  if (argc != 1 || strncmp(argv[0], "out=", 4) != 0 || strlen(argv[0] + 4) >= sizeof path) return 1;
  strcpy(path, argv[0] + 4);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
