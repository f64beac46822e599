set -e
{% if mount %}
{{ origin(file, "mount") }}cd {{ mount | shell }}
{% endif %}
{{ origin(file, "scripts", index, "command") }}{{ command }}
