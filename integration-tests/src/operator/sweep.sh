# sweep.sh FOLDER [wait]: ends the operator and the PostgreSQL servers that run in FOLDER, then deletes FOLDER.
# With `wait` it first waits until its standard input ends, that is until its owner is gone.
[ "${2-}" = wait ] && cat >/dev/null
folder=$1
[ -d "$folder" ] || exit 0

# Our operator: number, start time, and our folder among its arguments, so that no stranger with its number is hit.
for file in "$folder"/*.pid; do
  read -r pid started <"$file" || continue
  grep -qaF "$folder/" "/proc/$pid/cmdline" || continue
  # Without "pid (command) " the start time is field 20.
  [ "$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 20)" = "$started" ] && kill -9 "$pid"
done

# Programs of PostgreSQL that work on data in our folder.
servers() {
  {
    grep -laF "$folder/" /proc/[0-9]*/cmdline
    find /proc/[0-9]* -maxdepth 1 -name cwd -lname "$folder/*"
  } | cut -d / -f 3 | sort -u | while read -r pid; do
    case $(cat "/proc/$pid/comm") in postgres | initdb | pg_ctl) echo "$pid" ;; esac
  done
}

# SIGQUIT: PostgreSQL goes down at once, and unlike after SIGKILL leaves no shared memory behind.
for signal in QUIT KILL; do
  for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    pids=$(servers)
    [ -z "$pids" ] && break 2
    [ $((attempt % 10)) = 1 ] && kill -"$signal" $pids
    sleep 0.2
  done
done

# Small disks that a test has mounted below it.
grep -F " $folder/" /proc/self/mounts | cut -d " " -f 2 | while read -r mounted; do umount "$mounted"; done

for _ in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$folder" && [ ! -e "$folder" ] && exit 0
  sleep 0.2
done
exit 1
