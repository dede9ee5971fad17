/* A password policy that wants to see the password, as `credcheck` is one: refuses whatever is hashed already, with its
 * SQLSTATE and words. PostgreSQL's own headers are not there where the tests run, so what is needed of them is said here.
 *
 * cc -shared -fPIC -DPG_MAJOR=15 -o refuses_hashes.so refuses_hashes.c
 */
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int len, version, funcmaxargs, indexmaxkeys, namedatalen;
#if PG_MAJOR == 12
  int float4byval;
#endif
  int float8byval;
#if PG_MAJOR >= 15
  char abi_extra[32];
#endif
#if PG_MAJOR >= 18
  const char *module_name, *module_version;
#endif
} Magic;

const Magic *Pg_magic_func(void) {
  static const Magic magic = {
    .len = sizeof(Magic), .version = PG_MAJOR * 100, .funcmaxargs = 100, .indexmaxkeys = 32, .namedatalen = 64,
#if PG_MAJOR == 12
    .float4byval = 1,
#endif
    .float8byval = 1,
#if PG_MAJOR >= 15
    .abi_extra = "PostgreSQL",
#endif
  };
  return &magic;
}

extern void (*check_password_hook)(const char *, const char *, int, uintptr_t, bool);
extern int errcode(int);
extern int errmsg(const char *, ...);

#if PG_MAJOR == 12
extern bool errstart(int, const char *, int, const char *, const char *);
extern void errfinish(int, ...);
#define BEGIN_ERROR(level) errstart(level, __FILE__, __LINE__, __func__, 0)
#define END_ERROR(code, message) errfinish(0, code, message)
#else
extern bool errstart(int, const char *);
extern void errfinish(const char *, int, const char *);
#define BEGIN_ERROR(level) errstart(level, 0)
#define END_ERROR(code, message) (code, message, errfinish(__FILE__, __LINE__, __func__))
#endif

enum { PLAIN_TEXT = 0, ERROR_LEVEL = PG_MAJOR >= 14 ? 21 : 20, SQLSTATE_28000 = 2 + (8 << 6) };

static void check(const char *user, const char *password, int type, uintptr_t until, bool forever) {
  (void)user, (void)password, (void)until, (void)forever;
  if (type != PLAIN_TEXT && BEGIN_ERROR(ERROR_LEVEL))
    END_ERROR(errcode(SQLSTATE_28000), errmsg("password type is not a plain text"));
}

void _PG_init(void) { check_password_hook = check; }
