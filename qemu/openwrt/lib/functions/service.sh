# shellcheck shell=dash
# service_* of old init scripts (before procd), by busybox's start-stop-daemon. Of the OpenWrt stand-in.

service_start() {
	local program="$1"
	shift
	start-stop-daemon -S -b -x "$program" ${SERVICE_PID_FILE:+-p "$SERVICE_PID_FILE"} -- "$@"
}
service_stop() { start-stop-daemon -K -x "$1" ${SERVICE_PID_FILE:+-p "$SERVICE_PID_FILE"}; }
service_reload() { start-stop-daemon -K -s HUP -x "$1" ${SERVICE_PID_FILE:+-p "$SERVICE_PID_FILE"}; }
service_check() { start-stop-daemon -K -t -x "$1" ${SERVICE_PID_FILE:+-p "$SERVICE_PID_FILE"}; }
