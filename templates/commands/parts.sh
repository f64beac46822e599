{# Parts that several command files have in common. #}
{# Command items stand as they are written, each on lines of its own; the blank line ends an item that ends in a backslash. #}
{% macro lines(origin, items, file, path) %}
{% for item in items %}
{{ origin(file, path, loop.index0) }}{{ item }}
{% endfor %}
{{ origin() }}
{% endmacro %}

{% macro assets(origin, items) %}
{% for asset in items %}
{{ origin(asset.file, "assets", asset.position) }}if [ -e {{ ("/dusty_assets/" ~ asset.key) | shell }} ]; then
    mkdir -p {{ asset.parent | shell }}
    cp {{ ("/dusty_assets/" ~ asset.key) | shell }} {{ asset.path | shell }}
    chmod 0600 {{ asset.path | shell }}
fi
{% endfor %}
{{- origin() -}}
{% endmacro %}

{% macro enter(origin, file, mount) %}
{{ origin(file, "mount") }}cd {{ mount | shell }}
case ":$PATH:" in
*{{ (":" ~ mount ~ ":") | shell }}*) ;;
*) export PATH="$PATH":{{ mount | shell }} ;;
esac
{{ origin() -}}
{% endmacro %}
