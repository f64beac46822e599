{% import "commands/parts.sh" as parts %}
set -e
{{ parts.assets(origin, assets) -}}
{% for lib in libs %}
{{ origin(lib.file, "mount") }}cd {{ lib.mount | shell }}
{{ parts.lines(origin, lib.install, lib.file, ["install"]) -}}
{% endfor %}
{% if mount %}
{{ parts.enter(origin, file, mount) -}}
{% endif %}
{{ parts.lines(origin, once, file, ["test", "once"]) -}}
