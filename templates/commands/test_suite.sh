{% import "commands/parts.sh" as parts %}
set -e
{{ parts.assets(origin, assets) -}}
{% if mount %}
{{ origin(file, "mount") }}cd {{ mount | shell }}
{% endif %}
{% if default_args %}
{{ origin() }}if [ $# -eq 0 ]; then
{{ origin(file, "test", "suites", index, "default_args") }}{{ default_args }}
{{ origin() }}fi
{% endif %}
{{ origin(file, "test", "suites", index, "command") }}{{ command }}
