set -e
{% if mount %}
cd {{ mount | shell }}
{% endif %}
{{ origin(file, "scripts", index, "command") }}{{ command }}
